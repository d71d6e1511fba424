// SPDX-License-Identifier: GPL-3.0-or-later
// The HTTP server: several threads, each with its own listening sockets and connections.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/connection_limiter.hpp"
#include "http/forwarded.hpp"
#include "http/handler.hpp"
#include "http/limits.hpp"
#include "http/listener.hpp"
#include "http/observer.hpp"
#include "http/tls.hpp"

namespace sftdyn::http {

/// Owns its threads, listening sockets and connections. Used on one thread at a time; only
/// `connections` may be called on any thread.
class Server {
public:
    /// `observer` is told of the requests that `handler` does not see; may be null. Both must exist
    /// until the server has stopped.
    Server(Handler& handler, const Limits& limits, const Proxies& proxies, unsigned threads,
           Observer* observer = nullptr);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens on each endpoint; port 0 is replaced by the bound port.
    [[nodiscard]] base::Result<void> listen(std::vector<Endpoint>& endpoints);

    /// Sets the certificates for new connections to TLS endpoints.
    void use_tls(const TlsContext& context);

    /// The number of open connections. Thread-safe.
    [[nodiscard]] std::size_t connections() const { return admission_.count(); }

    /// Starts serving. When the system provides too few threads, returns an error and serves no
    /// client.
    [[nodiscard]] base::Result<void> start();

    /// Stops accepting connections, waits until pending requests are answered, but not beyond
    /// `deadline`, and stops.
    void stop(base::TimePoint deadline);

private:
    struct Worker;
    Limits limits_;
    Proxies proxies_;
    ConnectionLimiter admission_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::string> unix_paths_;  ///< Unix sockets to remove in `stop`
};

}  // namespace sftdyn::http
