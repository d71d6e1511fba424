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

/// At most one address of each family, and a prefix. Nothing of it has been checked against the
/// configuration.
struct Addresses {
    /// An address that the request names.
    struct Named {
        boost::asio::ip::address address{};
        std::string text{};  ///< as it was sent
    };
    std::optional<Named> v4{}, v6{};  ///< absent: not named
    /// An IPv6 prefix that the request names. It is no address of anybody.
    struct Prefix {
        boost::asio::ip::address_v6 network{};
        unsigned length = 64;  ///< bits
    };
    std::optional<Prefix> prefix{};           ///< that the client's router was delegated
    bool keep_v4 = false, keep_v6 = false;    ///< "preserve": this family is not to be touched
    bool empty_v4 = false, empty_v6 = false;  ///< this family is named, without an address
    /// What was meant as an address or prefix, and is none; its start. What is good beside it
    /// counts.
    std::string unusable{};
    bool has_several = false;  ///< two addresses of one family, or two prefixes

    [[nodiscard]] bool has_any() const { return v4 || v6 || prefix; }
};

/// Which family a parameter is for.
enum class Family : std::uint8_t { any, v4, v6 };

/// At most `most` parts, and one more if there are more; empty ones are left out.
[[nodiscard]] std::vector<std::string_view> split_list(std::string_view text, std::size_t most);

/// One text that stands for an address: with a prefix length behind it, or brackets around it;
/// "preserve"; "auto", which is `source`; a network, which is a prefix.
void read_address(std::string_view text, Family family, const boost::asio::ip::address& source,
                  Addresses& into);
/// One text that stands for a prefix, of 64 bits where it does not say another length.
void read_prefix(std::string_view text, Addresses& into);

}  // namespace sftdyn::protocol
