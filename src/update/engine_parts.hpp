// SPDX-License-Identifier: GPL-3.0-or-later
// The state that the parts of the engine share.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

#include "update/backend.hpp"
#include "update/change_rate_limiter.hpp"
#include "update/engine_limits.hpp"
#include "update/engine_thread.hpp"
#include "update/query_limiter.hpp"
#include "update/rrset_table.hpp"

namespace sftdyn::update {

class BatchSender;
class Reconciler;
class ScriptSender;

/// The engine's environment, its tables, and references that let its parts call each other. Owned
/// by `Engine`, as the parts are; used on the engine's thread.
struct EngineParts {
    using Clock = std::function<base::TimePoint()>;
    using OnFailure =
        std::function<void(const dns::Name& host, dns::Type type, const dns::DnsError& failure)>;
    using OnUpdate = std::function<void(std::size_t changes, base::Duration took)>;
    using OnChange = std::function<void(const RrsetKey& rrset)>;

    /// When a client may try again after a queue was full.
    static constexpr auto overload_pause = std::chrono::seconds(5);
    /// Rounds up; at least one second.
    static std::chrono::seconds whole_seconds(base::Duration duration) {
        return std::max(std::chrono::ceil<std::chrono::seconds>(duration), std::chrono::seconds(1));
    }
    /// A little before the desired record's own deadline, so that the server's silence is reported
    /// as the cause.
    [[nodiscard]] base::TimePoint backend_deadline(base::TimePoint deadline) const {
        return deadline - limits.shortest_timeout() / 50;
    }
    /// The deadline of a request for the host that arrives now.
    [[nodiscard]] base::TimePoint deadline_of(HostId host) const {
        // The name is needed only if a zone has its own timeout.
        return clock() + (limits.zone_timeouts.empty() ? limits.timeout
                                                       : limits.timeout_of(hosts.name(host)));
    }
    /// For a request that arrived then, what was served at this time or later is fresh enough. A
    /// server that answers no queries can't confirm anything: what we changed there is believed.
    [[nodiscard]] base::TimePoint fresh_since(const dns::Name& zone,
                                              base::TimePoint arrived) const {
        const base::Duration age = limits.freshness;
        return arrived -
               (backend.answers_queries(zone) ? age : std::max(age, ServedCache::longest_belief));
    }
    void fail(const RrsetKey& rrset, const dns::DnsError& failure) const {
        on_failure(hosts.name(rrset.host), rrset.type, failure);
    }

    Backend& backend;
    HostTable& hosts;
    ServedCache& known;
    EngineLimits limits;
    Clock clock;
    OnFailure on_failure;
    OnUpdate on_update = [](std::size_t, base::Duration) {};
    OnChange on_change = [](const RrsetKey&) {};
    ChangeRateLimiter rate_limiter GUARDED_BY(engine_thread){limits.change_rates()};
    QueryLimiter queries GUARDED_BY(engine_thread){limits.queries_in_flight};
    ZoneTable zones GUARDED_BY(engine_thread){};
    RrsetTable rrsets GUARDED_BY(engine_thread){known, zones};
    /// Incremented when the configured servers change. Results of messages that were sent under an
    /// earlier generation are not reported.
    unsigned generation GUARDED_BY(engine_thread) = 0;

    Reconciler& reconciler;
    BatchSender& batches;
    ScriptSender& scripts;
};

}  // namespace sftdyn::update
