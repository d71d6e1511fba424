// SPDX-License-Identifier: GPL-3.0-or-later
// The outcome of requests: a line in the log, a count, and an entry in the memory of hosts, all
// from one place. No line holds a secret: neither a key, nor a path, nor a header field.
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

/// What is told of every request.
struct RequestFacts {
    DialectLabel dialect = DialectLabel::secret_url;
    boost::asio::ip::address client{};  ///< who asked
    base::TimePoint began{};            ///< when the request came
};

/// What the journal has of every line about a request, whatever its level.
[[nodiscard]] base::log::Fields log_fields(const RequestFacts& facts);
[[nodiscard]] base::log::Fields log_fields(const RequestFacts& facts, RequestOutcome outcome);

/// The outcome of one record of a host.
struct HostOutcome {
    update::RrsetKey target{};
    boost::asio::ip::address address{};  ///< that it has, or would have; unspecified: none
    update::UpdateStatus status{};
};

/// Thread-safe.
class RequestLog {
public:
    explicit RequestLog(const update::HostTable& hosts) : hosts_(hosts) {}

    /// A record was served, or could not be.
    void served(const RequestFacts& facts, const HostOutcome& host);
    /// A host that the request is about got `word`, and nothing was asked of the DNS for it. `host`
    /// may be the client's text.
    void not_served(const RequestFacts& facts, std::string_view host, std::string_view word,
                    RequestOutcome outcome);
    /// A credential that there is not.
    void bad_credential(const RequestFacts& facts);
    /// A request that is about no host; `what` says which, or why it was refused.
    void ended(const RequestFacts& facts, RequestOutcome outcome, std::string_view what);
    /// A request that was refused before anybody could read it. Without a `client` it came by a
    /// Unix socket.
    void unreadable(const std::optional<boost::asio::ip::address>& client, unsigned status);

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
