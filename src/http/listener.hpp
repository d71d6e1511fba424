// A listening TCP socket: one for each thread, on the same address and port (SO_REUSEPORT).
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"

namespace sftdyn::http {

struct Endpoint {
    boost::asio::ip::address address;
    std::uint16_t port = 0;  ///< 0: any free one
    bool tls = false;
    bool dual_stack = false;  ///< `address` is [::] and takes IPv4 too
};

[[nodiscard]] std::string text_of(const Endpoint& endpoint);

/// A bound and listening socket. An error says which address and why.
using Listening = boost::asio::ip::tcp::acceptor;

/// Binds `count` sockets to `endpoint`, one for each of `contexts`. That somebody else listens there is an error, though
/// SO_REUSEPORT would allow it for the same user. The port taken is in `endpoint` afterwards.
[[nodiscard]] base::Result<std::vector<Listening>> listen_all(Endpoint& endpoint, const std::vector<boost::asio::io_context*>& contexts);

/// Accepts for as long as it is open.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    using OnAccept = std::function<void(boost::asio::ip::tcp::socket, const boost::asio::ip::tcp::endpoint& peer)>;

    Listener(Listening listening, OnAccept on_accept);
    void start();
    void stop();

private:
    void accept();
    void pause();

    Listening listening_;
    OnAccept on_accept_;
    boost::asio::ip::tcp::endpoint peer_;  ///< of the connection that comes next
    boost::asio::steady_timer timer_;
    bool said_full_ = false;
};

}  // namespace sftdyn::http
