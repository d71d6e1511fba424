// SPDX-License-Identifier: GPL-3.0-or-later
// The engine makes the DNS serve the desired records, with as few messages as possible.
// docs/engine.md describes its states.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "update/batch_sender.hpp"
#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/reconciler.hpp"
#include "update/script_sender.hpp"

namespace sftdyn::update {

/// Takes desired records and scripts, and gives each its outcome. Owned by `server::UpdateService`;
/// belongs to one thread (`engine_thread`), while `ServedCache` and `HostTable` are shared.
///
/// The desired records of an RRset are handled one after the other, in their order of arrival.
/// Changes of a zone are collected while an UPDATE is in flight, and are sent together when it has
/// been answered (group commit).
class Engine {
public:
    using Done = OnOutcome;
    using GroupDone = OnOutcomes;
    using Clock = EngineParts::Clock;
    /// Called once for each failed desired record and each failed message.
    using OnFailure = EngineParts::OnFailure;
    /// Called for each UPDATE that was answered or given up, with the number of its changes and its
    /// duration.
    using OnUpdate = EngineParts::OnUpdate;
    /// Called for each change of an RRset that is about to be sent, and for PTR records; not for
    /// what scripts change.
    using OnChange = EngineParts::OnChange;

    Engine(Backend& backend, HostTable& hosts, ServedCache& known, const EngineLimits& limits,
           Clock clock, OnFailure on_failure);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// `done` is called once, within the timeout, possibly before this returns.
    void submit(DesiredRecord desired, Done done) REQUIRES(engine_thread);

    /// As `submit`, for an atomic group. If any record of a zone needs a change, all records of
    /// that zone go out in one UPDATE, which takes effect as a whole or not at all. Each record is
    /// for a different RRset.
    void submit_group(std::vector<DesiredRecord> desired_records, GroupDone done)
        REQUIRES(engine_thread);

    /// Sends messages one after the other, each alone; after a refused message the next one is
    /// still sent. `about` is the host whose budget is charged, and the record that failures are
    /// reported for. The script waits in the queues of both address families of the host; later
    /// requests for these wait until its last message is done. `done` is called once, within the
    /// timeout, with `committed` when the server has confirmed all messages. If the server serves
    /// exactly one record for `about`, with the record data `served`, nothing is sent and the
    /// status is `unchanged`. An empty `served` skips this check.
    void submit_messages(const RrsetKey& about, std::vector<dns::UpdateMessage> messages, Done done,
                         std::string served = {}) REQUIRES(engine_thread);

    void on_update(OnUpdate told) REQUIRES(engine_thread) { parts_.on_update = std::move(told); }
    void on_change(OnChange told) REQUIRES(engine_thread) { parts_.on_change = std::move(told); }

    /// Whether the latest known state of the RRset matches the desired record.
    [[nodiscard]] bool is_still_so(const DesiredRecord& desired) const REQUIRES(engine_thread);

    /// Assumes that the host is in `zone`, unless its zone is already known or being looked up.
    /// Returns true when the host's zone is now `zone`.
    bool believe_zone(HostId host, const dns::Name& zone) REQUIRES(engine_thread);

    /// Fails everything that has passed its deadline. To be called often while `busy()`.
    void tick() REQUIRES(engine_thread);

    /// Fails everything that waits, as if its deadline had passed.
    void give_up_all() REQUIRES(engine_thread);

    /// True while a desired record or a message waits.
    [[nodiscard]] bool busy() const REQUIRES(engine_thread) {
        return waiting() > 0 || reconciler_.awaits_tick();
    }
    [[nodiscard]] std::size_t waiting() const REQUIRES(engine_thread) {
        return parts_.rrsets.waiting();
    }
    /// The number of RRset queues; 0 when nothing waits and every doubt is resolved.
    [[nodiscard]] std::size_t slots() const REQUIRES(engine_thread) { return parts_.rrsets.size(); }
    /// The number of deadlines that are still watched; 0 when nothing waits.
    [[nodiscard]] std::size_t deadlines() const REQUIRES(engine_thread) {
        return parts_.rrsets.deadlines() + scripts_.deadlines();
    }

    /// The timeout of requests for hosts of the zone.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& zone) const REQUIRES(engine_thread) {
        return parts_.limits.timeout_of(zone);
    }

    /// Sets new limits, and looks up the hosts' zones again. With `servers_changed`, everything
    /// known about zones and records is discarded and asked again, and operations in flight are
    /// reported only after the new servers have confirmed them.
    void reconfigure(const EngineLimits& limits, bool servers_changed) REQUIRES(engine_thread);

private:
    void seek_zones_again() REQUIRES(engine_thread);

    EngineParts parts_ GUARDED_BY(engine_thread);
    Reconciler reconciler_ GUARDED_BY(engine_thread){parts_};
    BatchSender batches_ GUARDED_BY(engine_thread){parts_};
    ScriptSender scripts_ GUARDED_BY(engine_thread){parts_};
    base::TimePoint next_sweep_ GUARDED_BY(engine_thread){};
};

}  // namespace sftdyn::update
