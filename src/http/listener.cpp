#include "http/listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <boost/asio/ip/v6_only.hpp>

#include "base/log.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// While descriptors are short, those who wait are served first.
constexpr auto accept_pause = std::chrono::milliseconds(100);

base::Error cannot_listen(const Endpoint& endpoint, const error_code& error) {
    std::string mend = "use an address of this machine";
    if (error == asio::error::address_in_use) mend = "another program has this port: stop it, or use another port";
    if (error == asio::error::access_denied) mend = "ports below 1024 need CAP_NET_BIND_SERVICE: use another port";
    return {fmt::format("can't listen: {}", error.message()), text_of(endpoint), std::move(mend)};
}

error_code open(tcp::acceptor& acceptor, const Endpoint& endpoint, bool reuse_port) {
    error_code error;
    const tcp::endpoint address(endpoint.address, endpoint.port);
    acceptor.open(address.protocol(), error);
    if (error) return error;
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && reuse_port) acceptor.set_option(ReusePort(true), error);
    if (!error && endpoint.address.is_v6()) acceptor.set_option(asio::ip::v6_only(!endpoint.dual_stack), error);
    if (!error) acceptor.bind(address, error);
    return error;
}

}  // namespace

std::string text_of(const Endpoint& endpoint) {
    return fmt::format(fmt::runtime(endpoint.address.is_v6() ? "[{}]:{}" : "{}:{}"), endpoint.address.to_string(), endpoint.port);
}

base::Result<std::vector<Listening>> listen_all(Endpoint& endpoint, const std::vector<asio::io_context*>& contexts) {
    {
        // Without SO_REUSEPORT the system says whether anybody is there, and which port is free.
        tcp::acceptor probe(*contexts.front());
        error_code error = open(probe, endpoint, false);
        if (!error) probe.listen(1, error);
        if (error) return cannot_listen(endpoint, error);
        endpoint.port = probe.local_endpoint().port();
    }
    std::vector<Listening> out;
    for (asio::io_context* context : contexts) {
        tcp::acceptor acceptor(*context);
        error_code error = open(acceptor, endpoint, true);
        // On Linux the accepted sockets inherit it, which saves a call for each.
        if (!error) acceptor.set_option(tcp::no_delay(true), error);
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (error) return cannot_listen(endpoint, error);
        out.push_back(std::move(acceptor));
    }
    return out;
}

Listener::Listener(Listening listening, OnAccept on_accept)
    : listening_(std::move(listening)), on_accept_(std::move(on_accept)), timer_(listening_.get_executor()) {}

void Listener::start() { accept(); }

void Listener::stop() {
    error_code ignored;  // nobody listens any more either way
    listening_.close(ignored);
    timer_.cancel();
}

void Listener::accept() {
    listening_.async_accept(peer_, [self = shared_from_this()](error_code error, tcp::socket socket) {
        if (!self->listening_.is_open()) return;
        if (error == asio::error::no_descriptors || error == error_code(ENFILE, boost::system::system_category()) ||
            error == asio::error::no_buffer_space || error == asio::error::no_memory) {
            return self->pause();
        }
        if (!error) {
            self->said_full_ = false;
            self->on_accept_(std::move(socket), self->peer_);
        }
        self->accept();
    });
}

void Listener::pause() {
    if (!said_full_) {
        base::log::error(
            "no file descriptor is left for another connection; those that are open are served on; "
            "raise the limit (LimitNOFILE=, ulimit -n)");
    }
    said_full_ = true;
    timer_.expires_after(accept_pause);
    timer_.async_wait([self = shared_from_this()](error_code error) {
        if (!error && self->listening_.is_open()) self->accept();
    });
}

}  // namespace sftdyn::http
