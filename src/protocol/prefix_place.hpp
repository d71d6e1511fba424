// SPDX-License-Identifier: GPL-3.0-or-later
// Where a host is in a network that was delegated.
#pragma once

#include <optional>

#include <boost/asio/ip/address_v6.hpp>

#include "accounts/account_directory.hpp"
#include "protocol/named_addresses.hpp"

namespace sftdyn::protocol {

/// Prefix, subnet and suffix put together. Nothing: they don't fit.
[[nodiscard]] std::optional<boost::asio::ip::address_v6> place_in(const Addresses::Prefix& prefix,
                                                                  const accounts::Ipv6Place& place);

}  // namespace sftdyn::protocol
