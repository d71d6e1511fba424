// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses as text, blocks of them in CIDR notation, and what is counted as one client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"

namespace sftdyn::base {

/// The address that the whole of `text` is: four decimal numbers without leading zeros, or an IPv6
/// address as RFC 4291 §2.2 has it, without a zone. Nothing else is one: no octal, hexadecimal or
/// short form, no NUL, no blank. The one way in which a text becomes an address; it makes no system
/// call.
[[nodiscard]] std::optional<boost::asio::ip::address> parse_address(std::string_view text);

/// As `parse_address`, for addresses of this machine's own configuration: a link-local one may have
/// a zone behind it (RFC 4007 §11), an interface's name or number, which the system is asked for.
[[nodiscard]] std::optional<boost::asio::ip::address> parse_zoned_address(std::string_view text);

/// A block of addresses: those whose first `prefix` bits are those of `address`.
struct Network {
    boost::asio::ip::address address;
    unsigned prefix = 0;  ///< bits

    /// "192.0.2.0/24", "2001:db8::/32", or one address.
    static Result<Network> parse(std::string_view text);
    [[nodiscard]] bool contains(const boost::asio::ip::address& other) const;
};

/// The address without a scope, and an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) as the IPv4
/// address that it is.
[[nodiscard]] boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

/// A TCP port as decimal digits, 0 to 65535.
[[nodiscard]] bool is_port(std::string_view text);

[[nodiscard]] bool any_contains(const std::vector<Network>& networks,
                                const boost::asio::ip::address& address);

/// What is counted as one client: an IPv4 address, or an IPv6 network of 64 bits, which is the
/// least that one gets.
struct ClientNetwork {
    std::uint64_t bits = 0;
    bool v6 = false;
    friend bool operator==(const ClientNetwork&, const ClientNetwork&) = default;
    /// Differs from process to process: whoever chooses addresses can't choose collisions.
    friend std::size_t hash_value(const ClientNetwork& network) noexcept;
};
[[nodiscard]] ClientNetwork client_network(const boost::asio::ip::address& address);
/// The IPv6 network of `prefix` bits, at least 1 and at most 64, that `network` is in. An IPv4
/// address is a network of its own.
[[nodiscard]] ClientNetwork wider(const ClientNetwork& network, unsigned prefix);

/// "192.0.2.1:53", "[2001:db8::1]:53".
[[nodiscard]] std::string endpoint_text(const boost::asio::ip::address& address,
                                        std::uint16_t port);

}  // namespace sftdyn::base
