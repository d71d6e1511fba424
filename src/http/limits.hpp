// SPDX-License-Identifier: GPL-3.0-or-later
// What one client, or all clients together, may use. The configuration has the defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace sftdyn::http {

/// Limits of connections and requests, the same for all connections of a server. A request beyond
/// one of them is answered with the status named here; a connection beyond its time is closed.
struct Limits {
    /// For a TLS handshake, including a PROXY protocol header before it.
    std::chrono::milliseconds handshake_time{};
    std::chrono::milliseconds header_time{};  ///< from the first octet of a request to its last
    std::chrono::milliseconds idle_time{};    ///< a persistent connection without a request
    std::chrono::milliseconds write_time{};   ///< for the client to receive a response
    std::size_t header_octets{};              ///< request line and header fields: 414 and 431
    std::size_t body_octets{};                ///< 413
    std::size_t connections{};
    /// For an IPv4 address or an IPv6 /64; not for trusted proxies.
    std::size_t connections_per_client{};
    /// The same for a loopback, private or unique local address (base::AddressScope), if it
    /// differs: such an address may be a proxy that is not configured, and that asks for all
    /// clients.
    std::optional<std::size_t> connections_per_neighbour{};
    std::size_t requests_per_connection{};
};

}  // namespace sftdyn::http
