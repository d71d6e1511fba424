// SPDX-License-Identifier: GPL-3.0-or-later
// What one client, or all together, may cost. What is usual says the configuration: there are no
// defaults here.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace sftdyn::http {

/// Limits of connections and requests; the same for all connections of a server. A request past one
/// of them is answered with the status named here; a connection past its time is closed.
struct Limits {
    /// For a TLS handshake, with a PROXY protocol header before it.
    std::chrono::milliseconds handshake_time{};
    std::chrono::milliseconds header_time{};  ///< from the first octet of a request to its last
    std::chrono::milliseconds idle_time{};    ///< a kept connection without a request
    std::chrono::milliseconds write_time{};   ///< for a response to be taken
    std::size_t header_octets{};              ///< request line and header fields: 414 and 431
    std::size_t body_octets{};                ///< 413
    std::size_t connections{};
    /// Of an IPv4 address or an IPv6 /64; not of trusted proxies.
    std::size_t connections_per_client{};
    /// The same of a loopback, private or unique local address (base::AddressScope), where that is
    /// another: it may be a proxy that nobody has named, and that asks for all.
    std::optional<std::size_t> connections_per_neighbour{};
    std::size_t requests_per_connection{};
};

}  // namespace sftdyn::http
