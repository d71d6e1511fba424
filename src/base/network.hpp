// A block of addresses in CIDR notation.
#pragma once

#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace sftdyn::base {

struct Network {
    boost::asio::ip::address address;
    unsigned prefix = 0;  ///< bits

    /// "192.0.2.0/24", "2001:db8::/32", or one address.
    static Result<Network> parse(std::string_view text);
    [[nodiscard]] bool contains(const boost::asio::ip::address& other) const;
};

[[nodiscard]] bool any_contains(const std::vector<Network>& networks, const boost::asio::ip::address& address);

}  // namespace sftdyn::base
