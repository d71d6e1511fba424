// SPDX-License-Identifier: GPL-3.0-or-later
// The PROXY protocol, versions 1 and 2, as specified in HAProxy's proxy-protocol.txt: what a TCP
// proxy says about the client before the connection's own octets.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

/// How far a PROXY protocol header has been received.
enum class ProxyHeaderState { more, bad, done };

/// The PROXY protocol header at the start of a connection, as far as it has been read.
struct ProxyProtocolHeader {
    ProxyHeaderState state = ProxyHeaderState::bad;
    std::size_t size = 0;  ///< with `done`: octets of the header; with `more`: octets that may be
                           ///< read next without reading beyond the header
    /// With `done`: the client's address. Absent when the proxy speaks for itself (LOCAL), or knows
    /// no IP address.
    std::optional<boost::asio::ip::address> client{};
};

/// Maximum octets of a PROXY protocol header; a longer one is bad. Version 1 has at most 107,
/// version 2 any number of TLVs.
constexpr std::size_t longest_proxy_header = 4096;

/// Reads the PROXY protocol header at the start of `octets`, which may hold only a part of it, or
/// more. What follows belongs to the connection (a TLS handshake, for example): a caller that reads
/// no more than `size` octets does not touch it.
[[nodiscard]] ProxyProtocolHeader read_proxy_header(std::string_view octets);

/// Receives a PROXY protocol header in pieces, and no octet beyond it.
class ProxyHeaderReader {
public:
    /// The buffer for the next read, with its maximum size; never empty after `received` returned
    /// `more`.
    [[nodiscard]] boost::asio::mutable_buffer space();
    /// Parses the header after `size` more octets were received.
    [[nodiscard]] ProxyProtocolHeader received(std::size_t size);

private:
    std::string octets_;
    std::size_t received_ = 0;
    std::size_t wanted_ = read_proxy_header("").size;
};

/// The client's address in canonical form: an IPv4-mapped address becomes IPv4. `nullopt` for an
/// address that no host can have.
[[nodiscard]] std::optional<boost::asio::ip::address> client_form(
    const boost::asio::ip::address& address);

}  // namespace sftdyn::http
