// What became of requests: a line in the log, a count, and an entry in the memory of hosts, all
// from one place.
#pragma once

#include <atomic>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "telemetry/host_history.hpp"
#include "telemetry/metrics.hpp"
#include "update/engine.hpp"
#include "update/served_cache.hpp"

namespace sftdyn::telemetry {

class RequestLog {
public:
    explicit RequestLog(const update::HostTable& hosts) : hosts_(hosts) {}

    /// A host's request was served, or could not be. `client` is who asked, `address` what the host
    /// has or would have (unspecified: none), `began` when the request came.
    void served(Dialect dialect, const update::Target& target,
                const boost::asio::ip::address& client, const boost::asio::ip::address& address,
                update::UpdateStatus status, base::TimePoint began);
    /// A credential that there is not.
    void bad_credential(Dialect dialect, const boost::asio::ip::address& client);
    /// Anything else, which is only counted.
    void count(Dialect dialect, Outcome outcome) { metrics_.request(dialect, outcome); }

    /// Whether hosts are remembered: not where nobody asks for it. At first they are not.
    void remember(bool wanted) { remembers_ = wanted; }

    [[nodiscard]] Metrics& metrics() { return metrics_; }
    [[nodiscard]] History& history() { return history_; }

private:
    const update::HostTable& hosts_;
    Metrics metrics_;
    History history_;
    std::atomic<bool> remembers_ = false;
};

}  // namespace sftdyn::telemetry
