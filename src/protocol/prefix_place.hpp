// SPDX-License-Identifier: GPL-3.0-or-later
// The address of a host in a delegated network.
#pragma once

#include <optional>

#include <boost/asio/ip/address_v6.hpp>

#include "accounts/account_directory.hpp"
#include "protocol/named_addresses.hpp"

namespace sftdyn::protocol {

/// Combines prefix, subnet and suffix; absent: subnet or suffix do not fit into the prefix.
[[nodiscard]] std::optional<boost::asio::ip::address_v6> place_in(const Addresses::Prefix& prefix,
                                                                  const accounts::Ipv6Place& place);

}  // namespace sftdyn::protocol
