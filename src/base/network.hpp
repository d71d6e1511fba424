// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses as text, networks in CIDR notation, and what counts as one client.
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

/// Parses the whole of `text`: four decimal numbers without leading zeros, or an IPv6 address (RFC
/// 4291 §2.2) without a zone. Octal, hexadecimal and short forms, NUL and blanks are rejected. All
/// addresses in text form are parsed here; no system call is made.
[[nodiscard]] std::optional<boost::asio::ip::address> parse_address(std::string_view text);

/// As `parse_address`, for addresses in this machine's own configuration: a link-local address may
/// have a zone (RFC 4007 §11), which is the number or the name of an interface. A name is looked up
/// in the system.
[[nodiscard]] std::optional<boost::asio::ip::address> parse_zoned_address(std::string_view text);

/// A network: the addresses whose first `prefix` bits are those of `address`.
struct Network {
    boost::asio::ip::address address;
    unsigned prefix = 0;  ///< bits

    /// "192.0.2.0/24", "2001:db8::/32", or one address.
    static Result<Network> parse(std::string_view text);
    [[nodiscard]] bool contains(const boost::asio::ip::address& other) const;
};

/// The address without a scope id. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) becomes its IPv4
/// address.
[[nodiscard]] boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

/// A TCP port as decimal digits, 0 to 65535.
[[nodiscard]] bool is_port(std::string_view text);

[[nodiscard]] bool any_contains(const std::vector<Network>& networks,
                                const boost::asio::ip::address& address);

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, the smallest that a
/// client is given.
struct ClientNetwork {
    std::uint64_t bits = 0;
    bool v6 = false;
    friend bool operator==(const ClientNetwork&, const ClientNetwork&) = default;
    /// Seeded at random per process, so that clients can't choose addresses that collide.
    friend std::size_t hash_value(const ClientNetwork& network) noexcept;
};
[[nodiscard]] ClientNetwork client_network(const boost::asio::ip::address& address);
/// The IPv6 network of `prefix` bits (1 to 64) that contains `network`. An IPv4 address is returned
/// unchanged.
[[nodiscard]] ClientNetwork wider(const ClientNetwork& network, unsigned prefix);

/// "192.0.2.1:53", "[2001:db8::1]:53".
[[nodiscard]] std::string endpoint_text(const boost::asio::ip::address& address,
                                        std::uint16_t port);

}  // namespace sftdyn::base
