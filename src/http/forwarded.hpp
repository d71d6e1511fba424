// SPDX-License-Identifier: GPL-3.0-or-later
// Who asked, when a proxy stands between: what a trusted proxy says of the client (RFC 7239,
// X-Forwarded-For, X-Real-IP). Nobody else is believed. Pure functions, on any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/network.hpp"

namespace sftdyn::http {

struct ProxyProtocolHeader;

enum class ProxyHeader { x_forwarded_for, forwarded, x_real_ip };

/// The proxies of the configuration: who may speak for clients, and in which header field.
struct Proxies {
    std::vector<base::Network> trusted{};
    ProxyHeader header = ProxyHeader::x_forwarded_for;
    std::string
        field{};  ///< another, in lower case, which is read as X-Real-IP is; empty: `header`
};

/// Whom a connection comes from, and whether it is believed when it speaks for others.
struct Peer {
    std::optional<boost::asio::ip::address> address{};  ///< absent: a Unix socket's
    bool trusted = false;  ///< one of `trusted_proxies`, or a Unix socket's: its permissions say
                           ///< who may use it
    bool vouches = false;  ///< what it says in the header that `proxy_header` names is believed

    /// Of a connection as it was accepted.
    static Peer of(const std::optional<boost::asio::ip::address>& address, const Proxies& proxies);
    /// Of the same connection, once the PROXY protocol has said whom it is for. A proxy that speaks
    /// it passes octets on, and reads no header: only the client that it names vouches for one, if
    /// it is a trusted proxy itself. If it names none, nobody does.
    [[nodiscard]] Peer behind(const ProxyProtocolHeader& header, const Proxies& proxies) const;
};

/// The address of the client that asks, or nothing: then it is not known, and the request must not
/// be served.
///
/// A peer that does not vouch is the client itself, and so is one that says nothing; a Unix
/// socket's has no address then. `values` are those of the lines of the header that `proxies`
/// names, as they came. They are read from the last one, and each from its last hop, past trusted
/// proxies: what stands before is a client's own word. What can't be understood is nothing; so is a
/// hop that says nothing, and more than one line of X-Real-IP.
[[nodiscard]] std::optional<boost::asio::ip::address> client_address(
    const Peer& peer, std::span<const std::string> values, const Proxies& proxies);

}  // namespace sftdyn::http
