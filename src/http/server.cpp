#include "http/server.hpp"

#include <condition_variable>
#include <mutex>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "http/connection.hpp"
#include "http/plain_connection.hpp"
#include "http/tls_connection.hpp"

namespace sftdyn::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto sweep_interval = std::chrono::seconds(1);

std::string_view field_of(const Proxies& proxies) {
    if (proxies.trusted.empty()) return {};
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
    Worker(Handler& handler, const Limits& limits, const Proxies& proxies) : set{handler, limits, proxies, field_of(proxies)} {}

    void accepted(asio::ip::tcp::socket socket, const asio::ip::tcp::endpoint& peer, bool tls_wanted) {
        if (tls_wanted) {
            std::make_shared<TlsConnection>(std::move(socket), tls, set, plain_address(peer.address()))->start();
        } else {
            std::make_shared<PlainConnection>(std::move(socket), set, plain_address(peer.address()))->start();
        }
    }

    void sweep() {
        timer.expires_after(sweep_interval);
        timer.async_wait([this](error_code error) {
            if (error) return;
            set.sweep(base::Clock::now());
            sweep();
        });
    }

    void start() {
        for (const auto& listener : listeners) listener->start();
        sweep();
        thread = std::thread([this] { io.run(); });
    }

    /// Runs on the worker's thread.
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

    ConnectionSet set;  // before the context: what the context still holds at its end are connections of the set
    asio::io_context io{1};
    asio::steady_timer timer{io};
    asio::steady_timer end{io};
    TlsContext tls;  ///< null: there is no TLS endpoint
    std::vector<std::shared_ptr<Listener>> listeners;
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::thread thread;
};

Server::Server(Handler& handler, const Limits& limits, const Proxies& proxies, unsigned threads) : limits_(limits), proxies_(proxies) {
    for (unsigned i = 0; i < std::max(threads, 1U); ++i) workers_.push_back(std::make_unique<Worker>(handler, limits_, proxies_));
}

Server::~Server() { stop(base::Clock::now()); }

base::Result<void> Server::listen(std::vector<Endpoint>& endpoints) {
    std::vector<asio::io_context*> contexts;
    for (const auto& worker : workers_) contexts.push_back(&worker->io);
    for (Endpoint& endpoint : endpoints) {
        auto sockets = listen_all(endpoint, contexts);
        if (sockets.has_error()) return sockets.error();
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            Worker* worker = workers_[i].get();
            auto on_accept = [worker, tls = endpoint.tls](asio::ip::tcp::socket socket, const asio::ip::tcp::endpoint& peer) {
                worker->accepted(std::move(socket), peer, tls);
            };
            worker->listeners.push_back(std::make_shared<Listener>(std::move((*sockets)[i]), std::move(on_accept)));
        }
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

void Server::start() {
    for (const auto& worker : workers_) worker->start();
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
}

}  // namespace sftdyn::http
