// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/server.hpp"

#include <unistd.h>

#include <algorithm>
#include <new>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "base/network.hpp"
#include "base/thread.hpp"
#include "http/connection.hpp"
#include "http/pending.hpp"
#include "http/plain_connection.hpp"
#include "http/tls_connection.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto sweep_interval = std::chrono::seconds(1);
// The pause after a shortage of memory, in which other threads may release some.
constexpr auto memory_pause = std::chrono::milliseconds(10);
// The minimum time between log messages about the limit of connections.
constexpr auto say_interval = std::chrono::minutes(1);

std::string_view field_of(const Proxies& proxies) {
    if (!proxies.field.empty()) return proxies.field;
    switch (proxies.header) {
        case ProxyHeader::x_forwarded_for:
            return "x-forwarded-for";
        case ProxyHeader::forwarded:
            return "forwarded";
        case ProxyHeader::x_real_ip:
            return "x-real-ip";
    }
    return {};
}

}  // namespace

struct Server::Worker {
    Worker(Handler& handler, const Limits& limits, const Proxies& proxies,
           std::string_view proxy_field, ConnectionLimiter& every, Observer* observer)
        : admission(every), set{handler, limits, proxies, proxy_field, observer} {}

    /// Implements Listener::OnAccept.
    bool accepted(Socket& socket, const Stream::endpoint& from, const Endpoint& endpoint) {
        auto ticket = admission.enter();
        if (!ticket && make_room(false)) ticket = admission.enter();
        if (!ticket) return false;
        // When memory is short, only this connection is lost.
        try {
            start_connection(std::move(socket), Peer::of(address_of(from), set.proxies), endpoint,
                             std::move(*ticket));
        } catch (const std::bad_alloc&) {
            set.say_memory_is_short();
        }
        return true;
    }

    void start_connection(Socket socket, const Peer& peer, const Endpoint& endpoint,
                          ConnectionLimiter::Ticket ticket) {
        if (endpoint.proxy_protocol && !peer.trusted) {
            const std::string address = peer.address->to_string();
            base::log::event(spdlog::level::info,
                             address +
                                 " is not one of trusted_proxies, and may not use the PROXY "
                                 "protocol: its connection was closed",
                             {{"SFTDYN_CLIENT", address}});
            return;
        }
        if (endpoint.tls) {
            std::make_shared<TlsConnection>(std::move(socket), tls, set, peer, std::move(ticket))
                ->start(endpoint.proxy_protocol);
        } else {
            std::make_shared<PlainConnection>(std::move(socket), set, peer, std::move(ticket))
                ->start(endpoint.proxy_protocol);
        }
    }

    bool make_room(bool descriptors_are_short) {
        const auto now = base::Clock::now();
        if (now >= say_full_again) {
            say_full_again = now + say_interval;
            base::log::error(
                "{}; those that are idle or slow make room, and others wait",
                descriptors_are_short
                    ? "no file descriptor is left for another connection (raise LimitNOFILE=, or "
                      "ulimit -n)"
                    : fmt::format(
                          "there are {} connections, and no more are accepted (connections)",
                          admission.count()));
        }
        if (set.make_room(now)) return !descriptors_are_short;
        // Connections of other threads may take the room.
        for (Worker* other : others) {
            asio::post(other->io, [other, descriptors_are_short] {
                if (descriptors_are_short || !other->admission.has_capacity())
                    other->set.make_room(base::Clock::now());
            });
        }
        return false;
    }

    void sweep() {
        timer.expires_after(sweep_interval);
        timer.async_wait([this, pending = Pending(sweeping)](error_code error) mutable {
            pending.done();
            // A handler that is queued when `close` is called can't be cancelled any more.
            if (error || set.closing) return;
            set.sweep(base::Clock::now());
            sweep();
        });
    }

    /// Restarts what a std::bad_alloc has ended: accepting and sweeping never stop.
    void revive() {
        if (set.closing) return;
        for (const auto& listener : listeners) listener->revive();
        if (!sweeping) sweep();
    }

    /// False: no thread can be started.
    bool start() {
        for (const auto& listener : listeners) listener->start();
        sweep();
        auto started = base::start_thread([this] { run(); });
        if (started) thread = std::move(*started);
        return started.has_value();
    }

    /// Runs the event loop on the worker's thread.
    void run() {
        while (true) {
            try {
                revive();
                io.run();
                return;
            } catch (const std::bad_alloc&) {
                // Connections handle their own exceptions; this one comes from outside of them.
                set.say_memory_is_short();
                std::this_thread::sleep_for(memory_pause);
            }
        }
    }

    /// Called on the worker's thread.
    void close(base::TimePoint deadline) {
        for (const auto& listener : listeners) listener->stop();
        timer.cancel();
        set.close_when_idle();
        await_end(deadline);
    }

    void await_end(base::TimePoint deadline) {
        if (set.list.empty() || base::Clock::now() >= deadline) {
            for (auto it = set.list.begin(); it != set.list.end();) (it++)->abort();
            return;
        }
        end.expires_after(std::chrono::milliseconds(10));
        end.async_wait([this, deadline](error_code) { await_end(deadline); });
    }

    ConnectionLimiter& admission;
    base::TimePoint say_full_again{};
    ConnectionSet set;  // declared before the context, which may hold connections of the set until
                        // its destruction
    bool sweeping = false;  ///< the event loop holds a handler of the timer
    asio::io_context io{1};
    asio::steady_timer timer{io};
    asio::steady_timer end{io};
    TlsContext tls;               ///< null: no TLS endpoint
    std::vector<Worker*> others;  ///< the server's other workers
    std::vector<std::shared_ptr<Listener>> listeners;
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::thread thread;
};

Server::Server(Handler& handler, const Limits& limits, const Proxies& proxies, unsigned threads,
               Observer* observer)
    : limits_(limits),
      proxies_(proxies),
      admission_(limits.connections, limits.connections_per_client,
                 limits.connections_per_neighbour) {
    for (unsigned i = 0; i < std::max(threads, 1U); ++i) {
        workers_.push_back(std::make_unique<Worker>(handler, limits_, proxies_, field_of(proxies_),
                                                    admission_, observer));
    }
    for (const auto& worker : workers_) {
        for (const auto& other : workers_) {
            if (other != worker) worker->others.push_back(other.get());
        }
    }
}

Server::~Server() {
    stop(base::Clock::now());
}  // NOLINT(bugprone-exception-escape): the program can't continue without it

base::Result<void> Server::listen(std::vector<Endpoint>& endpoints) {
    std::vector<asio::io_context*> contexts;
    for (const auto& worker : workers_) contexts.push_back(&worker->io);
    for (Endpoint& endpoint : endpoints) {
        auto sockets = listen_all(endpoint, contexts);
        if (sockets.has_error()) return sockets.error();
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            Worker* worker = workers_[i].get();
            Listener::Capacity capacity{
                [worker] { return worker->admission.has_capacity(); },
                [worker](bool is_short) { return worker->make_room(is_short); }};
            auto on_accept = [worker, endpoint](Socket& socket, const Stream::endpoint& peer) {
                return worker->accepted(socket, peer, endpoint);
            };
            worker->listeners.push_back(std::make_shared<Listener>(
                std::move((*sockets)[i]), std::move(capacity), std::move(on_accept)));
        }
        if (!endpoint.path.empty() && endpoint.inherited < 0) unix_paths_.push_back(endpoint.path);
    }
    return {};
}

void Server::use_tls(const TlsContext& context) {
    for (const auto& worker : workers_) {
        if (!worker->thread.joinable()) {
            worker->tls = context;
        } else {
            asio::post(worker->io, [&worker = *worker, context] { worker.tls = context; });
        }
    }
}

base::Result<void> Server::start() {
    if (std::all_of(workers_.begin(), workers_.end(),
                    [](const auto& worker) { return worker->start(); }))
        return {};
    stop(base::Clock::now());
    return base::Error{
        fmt::format("can't serve: it takes {} threads, and the system gives no more",
                    workers_.size()),
        "",
        "raise the limits of the service (TasksMax=, MemoryMax=, ulimit -u), or let it have fewer "
        "(threads)"};
}

void Server::stop(base::TimePoint deadline) {
    for (const auto& worker : workers_) {
        if (!worker->thread.joinable()) continue;
        asio::post(worker->io, [&worker, deadline] { worker->close(deadline); });
        worker->work.reset();
    }
    for (const auto& worker : workers_) {
        if (worker->thread.joinable()) worker->thread.join();
    }
    for (const auto& path : unix_paths_) unlink(path.c_str());
    unix_paths_.clear();
}

}  // namespace sftdyn::http
