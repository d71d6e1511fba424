// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "base/descriptor.hpp"
#include "base/network.hpp"
#include "http/pending.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// When a connection can't be accepted, the existing ones are served for this long first.
constexpr auto accept_pause = std::chrono::milliseconds(100);

base::Error cannot_listen(const Endpoint& endpoint, const error_code& error) {
    std::string remedy = "use an address of this machine";
    if (error == asio::error::address_in_use)
        remedy = endpoint.path.empty()
                     ? "another program has this port: stop it, or use another port"
                     : "another program listens there: stop it, or use another path";
    if (error == asio::error::no_descriptors ||
        error == error_code(ENFILE, boost::system::system_category()))
        remedy = "raise the limit of open files (LimitNOFILE= of the service, ulimit -n)";
    if (error == asio::error::access_denied)
        remedy = "ports below 1024 need CAP_NET_BIND_SERVICE: use another port";
    if (!endpoint.path.empty() && error != asio::error::address_in_use)
        remedy = "the socket's folder must be there, and sftdyn's user must be able to write to it";
    return {fmt::format("can't listen: {}", error.message()), text_of(endpoint), std::move(remedy)};
}

error_code last_error() { return {errno, boost::system::system_category()}; }

error_code open(tcp::acceptor& acceptor, const Endpoint& endpoint, bool reuse_port) {
    error_code error;
    const tcp::endpoint address(endpoint.address, endpoint.port);
    acceptor.open(address.protocol(), error);
    if (error) return error;
    acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && reuse_port) acceptor.set_option(ReusePort(true), error);
    if (!error && endpoint.address.is_v6())
        acceptor.set_option(asio::ip::v6_only(!endpoint.dual_stack), error);
    if (!error) acceptor.bind(address, error);
    return error;
}

using Contexts = std::vector<asio::io_context*>;

/// Makes an acceptor for each context on the listening socket `descriptor`, each with its own
/// duplicate.
base::Result<std::vector<Acceptor>> share(base::Descriptor descriptor, int family,
                                          const Endpoint& endpoint, const Contexts& contexts) {
    std::vector<Acceptor> out;
    for (asio::io_context* context : contexts) {
        base::Descriptor own(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3));
        Acceptor acceptor(*context);
        error_code error;
        if (!own) error = last_error();
        if (!error) acceptor.assign(Stream(family, 0), own.get(), error);
        if (error) return cannot_listen(endpoint, error);
        static_cast<void>(own.release());  // the acceptor owns it
        out.push_back(std::move(acceptor));
    }
    return out;
}

base::Result<std::vector<Acceptor>> take_inherited(Endpoint& endpoint, const Contexts& contexts) {
    Stream::endpoint bound;
    socklen_t size = static_cast<socklen_t>(bound.capacity());
    int listening = 0;
    socklen_t flag = sizeof listening;
    if (getsockname(endpoint.inherited, bound.data(), &size) != 0)
        return cannot_listen(endpoint, last_error());
    if (getsockopt(endpoint.inherited, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag) != 0 ||
        listening == 0) {
        return base::Error{"the socket that was passed does not listen",
                           fmt::format("descriptor {}", endpoint.inherited),
                           "the .socket unit needs ListenStream= and no Accept=yes"};
    }
    bound.resize(size);
    const int family = bound.data()->sa_family;
    if (const auto address = address_of(bound)) {
        endpoint.address = *address;
        endpoint.port = ntohs(reinterpret_cast<const sockaddr_in*>(bound.data())
                                  ->sin_port);  // sockaddr_in6 has the port at the same place
    } else {
        endpoint.path = reinterpret_cast<const sockaddr_un*>(bound.data())->sun_path;
    }
    return share(base::Descriptor(endpoint.inherited), family, endpoint, contexts);
}

/// Removes a stale Unix socket, on which no process listens any more.
void remove_stale(asio::io_context& context, const std::string& path) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
    asio::local::stream_protocol::socket probe(context);
    error_code error;
    probe.connect(path, error);
    if (error == asio::error::connection_refused) unlink(path.c_str());
}

/// Sets group and mode of the socket that was just bound to `path`. Uses a descriptor of the file
/// that was checked: where others may write to the folder, `path` may name another file a moment
/// later.
error_code hand_over(const std::string& path, const Endpoint& endpoint) {
    const base::Descriptor file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!file || fstat(file.get(), &info) != 0) return last_error();
    // Not the socket that was bound.
    if (!S_ISSOCK(info.st_mode) || info.st_uid != geteuid())
        return {EPERM, boost::system::system_category()};
    if (endpoint.gid &&
        fchownat(file.get(), "", static_cast<uid_t>(-1), *endpoint.gid, AT_EMPTY_PATH) != 0)
        return last_error();
    // fchmod(2) accepts no O_PATH descriptor before Linux 6.6.
    if (chmod(fmt::format("/proc/self/fd/{}", file.get()).c_str(), endpoint.mode) != 0)
        return last_error();
    return {};
}

base::Result<std::vector<Acceptor>> listen_unix(const Endpoint& endpoint,
                                                const Contexts& contexts) {
    if (endpoint.path.size() >= sizeof(sockaddr_un::sun_path)) {
        return base::Error{"the socket's path is too long", text_of(endpoint),
                           fmt::format("it may have {} octets", sizeof(sockaddr_un::sun_path) - 1)};
    }
    remove_stale(*contexts.front(), endpoint.path);
    base::Descriptor descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!descriptor) return cannot_listen(endpoint, last_error());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return cannot_listen(endpoint, last_error());
    // The socket listens only after its mode is set, so no client connects before.
    if (const auto error = hand_over(endpoint.path, endpoint))
        return cannot_listen(endpoint, error);
    if (::listen(descriptor.get(), SOMAXCONN) != 0) return cannot_listen(endpoint, last_error());
    return share(std::move(descriptor), AF_UNIX, endpoint, contexts);
}

base::Result<std::vector<Acceptor>> listen_tcp(Endpoint& endpoint, const Contexts& contexts) {
    {
        // Without SO_REUSEPORT the system reports whether the port is in use, and which port is
        // free.
        tcp::acceptor probe(*contexts.front());
        error_code error = open(probe, endpoint, false);
        if (!error) probe.listen(1, error);
        if (error) return cannot_listen(endpoint, error);
        endpoint.port = probe.local_endpoint().port();
    }
    std::vector<Acceptor> out;
    for (asio::io_context* context : contexts) {
        tcp::acceptor acceptor(*context);
        error_code error = open(acceptor, endpoint, true);
        // On Linux accepted sockets inherit this option, which saves a call for each.
        if (!error) acceptor.set_option(tcp::no_delay(true), error);
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (error) return cannot_listen(endpoint, error);
        out.emplace_back(std::move(acceptor));
    }
    return out;
}

}  // namespace

std::string text_of(const Endpoint& endpoint) {
    if (!endpoint.path.empty()) return "unix:" + endpoint.path;
    return base::endpoint_text(endpoint.address, endpoint.port);
}

std::optional<asio::ip::address> address_of(const Stream::endpoint& peer) {
    const sockaddr* address = peer.data();
    if (address->sa_family == AF_INET)
        return asio::ip::make_address_v4(
            ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
    if (address->sa_family != AF_INET6) return std::nullopt;
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr,
                bytes.size());
    return asio::ip::make_address_v6(bytes);
}

base::Result<std::vector<Acceptor>> listen_all(Endpoint& endpoint, const Contexts& contexts) {
    if (endpoint.inherited >= 0) return take_inherited(endpoint, contexts);
    return endpoint.path.empty() ? listen_tcp(endpoint, contexts) : listen_unix(endpoint, contexts);
}

Listener::Listener(Acceptor acceptor, Capacity capacity, OnAccept on_accept)
    : acceptor_(std::move(acceptor)),
      capacity_(std::move(capacity)),
      on_accept_(std::move(on_accept)),
      accepted_(acceptor_.get_executor()),
      timer_(acceptor_.get_executor()) {}

void Listener::start() { await(); }

void Listener::revive() {
    if (!pending_ && acceptor_.is_open()) hand_on();
}

void Listener::stop() {
    error_code ignored;  // nothing listens any more in any case
    acceptor_.close(ignored);
    accepted_.close(ignored);
    timer_.cancel();
}

void Listener::await() {
    if (capacity_.is_there()) return accept();
    auto on_ready = [self = shared_from_this(),
                     pending = Pending(pending_)](error_code error) mutable {
        pending.done();
        if (error || !self->acceptor_.is_open()) return;
        if (self->capacity_.is_there() || self->capacity_.make(false)) return self->accept();
        self->pause();
    };
    acceptor_.async_wait(Acceptor::wait_read, std::move(on_ready));
}

void Listener::accept() {
    auto on_connection = [self = shared_from_this(), pending = Pending(pending_)](
                             error_code error, Socket socket) mutable {
        pending.done();
        if (!self->acceptor_.is_open()) return;
        if (error == asio::error::no_descriptors ||
            error == error_code(ENFILE, boost::system::system_category()) ||
            error == asio::error::no_buffer_space || error == asio::error::no_memory)
            self->capacity_.make(true);
        // The error may persist, so wait before the next attempt.
        if (error) return self->pause();
        self->accepted_ = std::move(socket);
        self->hand_on();
    };
    acceptor_.async_accept(peer_, std::move(on_connection));
}

void Listener::hand_on() {
    if (accepted_.is_open()) {
        if (!on_accept_(accepted_, peer_)) return pause();
        error_code ignored;  // when it was taken this closes nothing; otherwise it is not wanted
        accepted_.close(ignored);
    }
    await();
}

void Listener::pause() {
    timer_.expires_after(accept_pause);
    timer_.async_wait(
        [self = shared_from_this(), pending = Pending(pending_)](error_code error) mutable {
            pending.done();
            if (!error && self->acceptor_.is_open()) self->hand_on();
        });
}

}  // namespace sftdyn::http
