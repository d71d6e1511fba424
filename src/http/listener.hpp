// SPDX-License-Identifier: GPL-3.0-or-later
// Listening sockets: one for each thread, on the same address (SO_REUSEPORT) or on the same socket.
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
    bool proxy_protocol = false;    ///< each connection begins with a PROXY protocol header
    std::string path{};             ///< of a Unix socket; empty: TCP
    unsigned mode = 0660;           ///< of a Unix socket
    std::optional<unsigned> gid{};  ///< the group of a Unix socket; absent: the process's
    int inherited = -1;  ///< a descriptor that is listening already (sd_listen_fds(3)); -1: none
};

/// "192.0.2.1:80", "[2001:db8::1]:80" or "unix:/path".
[[nodiscard]] std::string text_of(const Endpoint& endpoint);

/// Binds `endpoint` for each of `contexts`, and stores the bound address in it. An error names the
/// address and the reason. An address that is in use is an error, even where SO_REUSEPORT would
/// allow it for the same user. A stale Unix socket is replaced.
[[nodiscard]] base::Result<std::vector<Acceptor>> listen_all(
    Endpoint& endpoint, const std::vector<boost::asio::io_context*>& contexts);

/// Accepts connections while it is open.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// False: another thread has taken the last place in the meantime. The socket is unchanged, and
    /// is offered again.
    using OnAccept = std::function<bool(Socket& socket, const Stream::endpoint& peer)>;
    /// Asks the owner for a place before a connection is accepted. Both functions are called on the
    /// listener's thread.
    struct Capacity {
        /// Whether one more connection may be accepted.
        std::function<bool()> is_there;
        /// Makes room for a waiting connection by ending another, when the limit is reached or no
        /// descriptor is left. False: not possible.
        std::function<bool(bool descriptors_are_short)> make;
    };

    Listener(Acceptor acceptor, Capacity capacity, OnAccept on_accept);
    void start();
    /// Waits for connections again after a std::bad_alloc, thrown through the event loop, has ended
    /// the wait; otherwise does nothing. May throw std::bad_alloc itself, and may then be called
    /// again.
    void revive();
    void stop();

private:
    void await();
    void accept();
    /// Hands the accepted socket over, and waits for the next.
    void hand_on();
    void pause();

    Acceptor acceptor_;
    Capacity capacity_;
    OnAccept on_accept_;
    Socket accepted_;        ///< open: not handed over yet
    Stream::endpoint peer_;  ///< of the next connection
    bool pending_ = false;   ///< the event loop holds a handler that continues
    boost::asio::steady_timer timer_;
};

}  // namespace sftdyn::http
