// SPDX-License-Identifier: GPL-3.0-or-later
// Reads changes back before the client is told OK.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/zone_queue.hpp"

namespace sftdyn::update {

/// A server may answer NOERROR and yet serve something else: a child zone occludes the record, or a
/// middlebox has answered. So the first change of a host, and then one an hour, is queried after
/// the server has confirmed it. If the change is not visible at once, the query is repeated until
/// the request's deadline, since queries may go to a copy of the zone. Owned by `Reconciler`; used
/// on the engine's thread.
class ReadBack {
public:
    explicit ReadBack(EngineParts& parts) : parts_(parts) {}

    /// Whether any of the group's address changes is to be read back.
    [[nodiscard]] bool is_due(const ChangeGroup& group) const REQUIRES(engine_thread);
    /// Queries the changed RRsets. Calls `Reconciler::seen` or `unseen` for the group, after this
    /// has returned.
    void begin(ZoneIndex zone, ChangeGroup group) REQUIRES(engine_thread);
    /// Repeats queries for changes that were not yet seen.
    void tick(base::TimePoint now) REQUIRES(engine_thread);
    /// True while a query waits to be repeated.
    [[nodiscard]] bool is_pausing() const REQUIRES(engine_thread) { return !again_.empty(); }
    /// Forgets which changes were seen: the servers have changed.
    void forget() REQUIRES(engine_thread) { seen_at_.clear(); }

private:
    struct Round;
    using RoundPtr = std::shared_ptr<Round>;
    void ask(const RoundPtr& round, const RrsetKey& rrset) REQUIRES(engine_thread);
    void answered(const RoundPtr& round, const RrsetKey& rrset,
                  const dns::DnsResult<ServedRecords>& served) REQUIRES(engine_thread);
    void close(const RoundPtr& round) REQUIRES(engine_thread);
    void remember(const ChangeGroup& group) REQUIRES(engine_thread);

    struct Again {
        base::TimePoint at;
        RoundPtr round;
        RrsetKey rrset;
    };
    EngineParts& parts_;
    std::vector<Again> again_;
    /// By host: when a change was last seen, in seconds of the engine's clock; 0: never.
    std::vector<std::uint32_t> seen_at_;
};

}  // namespace sftdyn::update
