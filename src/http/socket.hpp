// SPDX-License-Identifier: GPL-3.0-or-later
// Socket types for TCP and Unix sockets alike.
#pragma once

#include <optional>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

using Stream = boost::asio::generic::stream_protocol;
using Socket = Stream::socket;
using Acceptor = boost::asio::basic_socket_acceptor<Stream>;

/// The peer's address; `nullopt` for a Unix socket.
[[nodiscard]] std::optional<boost::asio::ip::address> address_of(const Stream::endpoint& peer);

}  // namespace sftdyn::http
