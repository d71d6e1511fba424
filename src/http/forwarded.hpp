// SPDX-License-Identifier: GPL-3.0-or-later
// Determines the client of a request behind proxies, from what a trusted proxy says (RFC 7239,
// X-Forwarded-For, X-Real-IP). Other peers are not believed. Pure functions, on any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"

namespace sftdyn::http {

struct ProxyProtocolHeader;

/// The header fields in which proxies name the client (Forwarded: RFC 7239).
enum class ProxyHeader { x_forwarded_for, forwarded, x_real_ip };

/// The proxies of the configuration: which are trusted, and which header field they use.
struct Proxies {
    std::vector<base::Network> trusted{};
    ProxyHeader header = ProxyHeader::x_forwarded_for;
    std::string
        field{};  ///< another field, in lower case, which is read like X-Real-IP; empty: `header`
};

/// Where a connection comes from, and whether it is believed when it names another client.
struct Peer {
    std::optional<boost::asio::ip::address> address{};  ///< absent: a Unix socket
    bool trusted = false;  ///< one of `trusted_proxies`, or a Unix socket, whose permissions say
                           ///< who may use it
    bool vouches = false;  ///< its value of the configured header field is believed

    /// The peer of a connection as accepted.
    static Peer of(const std::optional<boost::asio::ip::address>& address, const Proxies& proxies);
    /// The peer once the PROXY protocol has named the client. A proxy that speaks the PROXY
    /// protocol forwards octets and reads no header fields. The named client is therefore believed
    /// only if it is a trusted proxy itself. When the proxy names no client, the header fields are
    /// not believed.
    [[nodiscard]] Peer behind(const ProxyProtocolHeader& header, const Proxies& proxies) const;
};

/// The address of the client; `nullopt` when it is not known, and the request must not be served.
///
/// A peer that does not vouch is the client itself, and so is one that sends no such field; a Unix
/// socket then has no address. `values` are the lines of the header field that `proxies` names, in
/// the order received. They are read from the last line, each from its last hop, and trusted
/// proxies are skipped: a client could have forged what precedes them. The result is `nullopt` when
/// a hop can't be parsed or is empty, and for more than one line of X-Real-IP.
[[nodiscard]] std::optional<boost::asio::ip::address> client_address(
    const Peer& peer, std::span<const std::string> values, const Proxies& proxies);

}  // namespace sftdyn::http
