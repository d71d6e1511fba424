// SPDX-License-Identifier: GPL-3.0-or-later
// A listening socket: one for each thread, on the same address (SO_REUSEPORT) or the same socket.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "http/socket.hpp"

namespace sftdyn::http {

/// An address to listen on, and how connections to it begin.
struct Endpoint {
    boost::asio::ip::address address{};
    std::uint16_t port = 0;  ///< 0: any free one
    bool tls = false;
    bool dual_stack = false;        ///< `address` is [::] and takes IPv4 too
    bool proxy_protocol = false;    ///< each connection begins with the PROXY protocol header
    std::string path{};             ///< of a Unix socket; empty: TCP
    unsigned mode = 0660;           ///< of a Unix socket
    std::optional<unsigned> gid{};  ///< the group of a Unix socket; absent: the process's
    int inherited = -1;  ///< a descriptor that listens already (sd_listen_fds(3)); -1: none
};

/// "192.0.2.1:80", "[2001:db8::1]:80" or "unix:/path".
[[nodiscard]] std::string text_of(const Endpoint& endpoint);

/// Binds `endpoint` for each of `contexts`. An error says which address and why. That somebody else
/// listens there is an error, though SO_REUSEPORT would allow it for the same user; a Unix socket
/// that nobody listens on is replaced. The address taken is in `endpoint` afterwards.
[[nodiscard]] base::Result<std::vector<Acceptor>> listen_all(
    Endpoint& endpoint, const std::vector<boost::asio::io_context*>& contexts);

/// Accepts for as long as it is open.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// False: another thread has taken the last room meanwhile. The socket is left as it is, and
    /// comes again.
    using OnAccept = std::function<bool(Socket& socket, const Stream::endpoint& peer)>;
    /// Asks its owner for a place before a connection is accepted. Both are called on the
    /// listener's thread.
    struct Capacity {
        /// Whether one more connection may come.
        std::function<bool()> is_there;
        /// One waits, and there is no room, or no descriptor: makes some by ending another. False:
        /// that can't be.
        std::function<bool(bool descriptors_are_short)> make;
    };

    Listener(Acceptor acceptor, Capacity capacity, OnAccept on_accept);
    void start();
    /// Waits for connections again where a std::bad_alloc, which passes through the event loop,
    /// has ended that; else it does nothing. May throw one itself, and be called again then.
    void revive();
    void stop();

private:
    void await();
    void accept();
    /// Hands on what was accepted, and waits for the next.
    void hand_on();
    void pause();

    Acceptor acceptor_;
    Capacity capacity_;
    OnAccept on_accept_;
    Socket accepted_;        ///< open: it has not been handed on
    Stream::endpoint peer_;  ///< of the connection that comes next
    bool pending_ = false;   ///< the event loop holds what goes on with it
    boost::asio::steady_timer timer_;
};

}  // namespace sftdyn::http
