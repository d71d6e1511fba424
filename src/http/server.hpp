// SPDX-License-Identifier: GPL-3.0-or-later
// The HTTP server: a thread for each core, each with its own listening sockets and connections.
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
/// `connections` may be called on any.
class Server {
public:
    /// `observer` is told of the requests that `handler` does not see; null: nobody is. Both
    /// exist until it has stopped.
    Server(Handler& handler, const Limits& limits, const Proxies& proxies, unsigned threads,
           Observer* observer = nullptr);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Listens on each endpoint; a port 0 is replaced by the port taken.
    [[nodiscard]] base::Result<void> listen(std::vector<Endpoint>& endpoints);

    /// The certificate that connections to TLS endpoints get from now on.
    void use_tls(const TlsContext& context);

    /// Open connections; on any thread.
    [[nodiscard]] std::size_t connections() const { return admission_.count(); }

    /// Starts serving; an error: the system gives no thread for it, and it serves nobody.
    [[nodiscard]] base::Result<void> start();

    /// Stops accepting, waits until the requests under way are answered, at most until `deadline`,
    /// and ends.
    void stop(base::TimePoint deadline);

private:
    struct Worker;
    Limits limits_;
    Proxies proxies_;
    ConnectionLimiter admission_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::string> unix_paths_;  ///< sockets of ours, which go with us
};

}  // namespace sftdyn::http
