// SPDX-License-Identifier: GPL-3.0-or-later
// The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt describes them: what a TCP
// proxy says of the client before the connection's own octets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// How much of a PROXY protocol header is there.
enum class ProxyHeaderState { more, bad, done };

/// The PROXY protocol header at the start of a connection, as far as it was read.
struct ProxyProtocolHeader {
    ProxyHeaderState state = ProxyHeaderState::bad;
    std::size_t size = 0;  ///< with `done`: octets it takes; with `more`: how many more may be
                           ///< read, all of them its own
    /// With `done`: the client's; absent when the proxy speaks for itself (LOCAL), or knows of no
    /// IP address.
    std::optional<boost::asio::ip::address> client{};
};

/// Octets that a PROXY protocol header takes at the most; one that says it is longer is bad.
/// Version 1 has 107, and version 2 as many TLVs as the proxy likes.
constexpr std::size_t longest_proxy_header = 4096;

/// Reads the PROXY protocol header at the start of `octets`, which may hold more or less than it.
/// What follows it is the connection's (a TLS handshake, maybe), so that whoever reads no more than
/// `size` says leaves it alone.
[[nodiscard]] ProxyProtocolHeader read_proxy_header(std::string_view octets);

/// Takes a PROXY protocol header in as it comes, and no octet of what follows it.
class ProxyHeaderReader {
public:
    /// Where to receive octets, and how many at the most; never empty while `received` says `more`.
    [[nodiscard]] boost::asio::mutable_buffer space();
    /// What is known once `size` more octets are there.
    [[nodiscard]] ProxyProtocolHeader received(std::size_t size);

private:
    std::string octets_;
    std::size_t received_ = 0;
    std::size_t wanted_ = read_proxy_header("").size;
};

/// The address as that of a client: an IPv4-mapped one as what it is; nothing for one that no host
/// can have.
[[nodiscard]] std::optional<boost::asio::ip::address> client_form(
    const boost::asio::ip::address& address);

}  // namespace sftdyn::http
