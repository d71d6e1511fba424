// SPDX-License-Identifier: GPL-3.0-or-later
// The addresses that a request names. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace sftdyn::protocol {

/// At most one address of each family, and a prefix. Not yet checked against the configuration.
struct Addresses {
    /// An address that the request names.
    struct Named {
        boost::asio::ip::address address{};
        std::string text{};  ///< as it was sent
    };
    std::optional<Named> v4{}, v6{};  ///< absent: not named
    /// An IPv6 prefix that the request names. It is not an address.
    struct Prefix {
        boost::asio::ip::address_v6 network{};
        unsigned length = 64;  ///< bits
    };
    std::optional<Prefix> prefix{};           ///< the prefix delegated to the client's router
    bool keep_v4 = false, keep_v6 = false;    ///< "preserve": leave this family unchanged
    bool empty_v4 = false, empty_v6 = false;  ///< the family is named without an address
    /// The start of a text that should be an address or prefix and is not. Valid ones beside it
    /// still count.
    std::string unusable{};
    bool has_several = false;  ///< two addresses of one family, or two prefixes

    [[nodiscard]] bool has_any() const { return v4 || v6 || prefix; }
};

/// The address family that a parameter is for.
enum class Family : std::uint8_t { any, v4, v6 };

/// Splits at most `most` parts, and one more if there are more. Omits empty parts.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text, std::size_t most);

/// Parses one value: an address, also with a prefix length or in brackets; "preserve"; "auto",
/// which means `source`; or a network, which is a prefix.
void read_address(std::string_view text, Family family, const boost::asio::ip::address& source,
                  Addresses& into);
/// Parses one prefix. The default length is 64 bits.
void read_prefix(std::string_view text, Addresses& into);

}  // namespace sftdyn::protocol
