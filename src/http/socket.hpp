// SPDX-License-Identifier: GPL-3.0-or-later
// Connections come over TCP or a Unix socket; from here on they are alike.
#pragma once

#include <optional>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>

namespace sftdyn::http {

using Stream = boost::asio::generic::stream_protocol;
using Socket = Stream::socket;
using Acceptor = boost::asio::basic_socket_acceptor<Stream>;

/// The address at the other end; nothing for a Unix socket's.
[[nodiscard]] std::optional<boost::asio::ip::address> address_of(const Stream::endpoint& peer);

}  // namespace sftdyn::http
