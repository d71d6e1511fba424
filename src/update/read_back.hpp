// SPDX-License-Identifier: GPL-3.0-or-later
// Reads changes back before anybody is told OK.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/zone_queue.hpp"

namespace sftdyn::update {

/// A server may answer NOERROR and serve something else: the zone has a child that hides the
/// record, or something between has answered. So the first change of a host, and then one in an
/// hour, is asked for when the server has confirmed it. Where it is not seen at once it is asked
/// for again, since queries may go to a copy of the zone, until the request's time is up. Owned by
/// `Reconciler`; used on the engine's thread.
class ReadBack {
public:
    explicit ReadBack(EngineParts& parts) : parts_(parts) {}

    /// Whether one of the changes, which are those of addresses, is to be read back.
    [[nodiscard]] bool is_due(const ChangeGroup& group) const REQUIRES(engine_thread);
    /// Asks for what was changed; `Reconciler::seen` or `unseen` is called for the group, not from
    /// within this.
    void begin(ZoneIndex zone, ChangeGroup group) REQUIRES(engine_thread);
    /// Asks again what was not seen yet.
    void tick(base::TimePoint now) REQUIRES(engine_thread);
    /// Something is to be asked again.
    [[nodiscard]] bool is_pausing() const REQUIRES(engine_thread) { return !again_.empty(); }
    /// Other servers are asked now.
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
    /// By host: when a change was seen, in seconds of the engine's clock; 0: none was.
    std::vector<std::uint32_t> seen_at_;
};

}  // namespace sftdyn::update
