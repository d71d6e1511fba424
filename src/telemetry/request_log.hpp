// SPDX-License-Identifier: GPL-3.0-or-later
// Records the outcome of requests: a line in the log, a metric, and an entry in the history of
// hosts. No line contains a secret: no key, no path, no header field.
#pragma once

#include <atomic>
#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "telemetry/host_history.hpp"
#include "telemetry/metrics.hpp"
#include "update/engine.hpp"
#include "update/served_cache.hpp"

namespace sftdyn::telemetry {

/// What is recorded about every request.
struct RequestFacts {
    DialectLabel dialect = DialectLabel::secret_url;
    boost::asio::ip::address client{};  ///< the client's address
    base::TimePoint began{};            ///< when the request arrived
};

/// The journal fields of every line about a request, at any level.
[[nodiscard]] base::log::Fields log_fields(const RequestFacts& facts);
[[nodiscard]] base::log::Fields log_fields(const RequestFacts& facts, RequestOutcome outcome);

/// The outcome of one record of a host.
struct HostOutcome {
    update::RrsetKey target{};
    boost::asio::ip::address address{};  ///< its address, or the requested one; unspecified: none
    update::UpdateStatus status{};
};

/// Records the outcomes of requests; owns the metrics and the history. Thread-safe.
class RequestLog {
public:
    explicit RequestLog(const update::HostTable& hosts) : hosts_(hosts) {}

    /// Records the outcome of updating one record.
    void served(const RequestFacts& facts, const HostOutcome& host);
    /// Records a host of the request that was answered with `word`, without a DNS update. `host`
    /// may be the client's text.
    void not_served(const RequestFacts& facts, std::string_view host, std::string_view word,
                    RequestOutcome outcome);
    /// Records an unknown credential.
    void bad_credential(const RequestFacts& facts);
    /// Records a request that concerns no host. `what` describes it, or why it was refused.
    void ended(const RequestFacts& facts, RequestOutcome outcome, std::string_view what);
    /// Records a request that was refused before it could be parsed. Without a `client` it came
    /// over a Unix socket.
    void unreadable(const std::optional<boost::asio::ip::address>& client, unsigned status);

    /// Counts the response to a request.
    void responded(unsigned status, base::TimePoint began) {
        metrics_.response(status, base::Clock::now() - began);
    }

    /// Sets whether the history of hosts is recorded. Initially it is not.
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
