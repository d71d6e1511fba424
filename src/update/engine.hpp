// SPDX-License-Identifier: GPL-3.0-or-later
// The engine: brings what the DNS serves to what was asked for, with as few messages as possible.
// docs/engine.md has the states.
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
/// For each RRset desired records are served one after the other, in the order they came. For each
/// zone changes are collected while an UPDATE is under way and go out together when it is answered
/// (group commit).
class Engine {
public:
    using Done = OnOutcome;
    using GroupDone = OnOutcomes;
    using Clock = EngineParts::Clock;
    /// Told of each failed desired record, and each failed message, once.
    using OnFailure = EngineParts::OnFailure;
    /// Told of each UPDATE that was answered or given up: its changes, and the time it took.
    using OnUpdate = EngineParts::OnUpdate;

    Engine(Backend& backend, HostTable& hosts, ServedCache& known, const EngineLimits& limits,
           Clock clock, OnFailure on_failure);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// `done` is called once, within the timeout, maybe before this returns.
    void submit(DesiredRecord desired, Done done) REQUIRES(engine_thread);

    /// As `submit`, for desired records that belong together: those of one zone go out in one
    /// UPDATE, all or none, if any of them changes anything. Each is for another RRset.
    void submit_group(std::vector<DesiredRecord> desired_records, GroupDone done)
        REQUIRES(engine_thread);

    /// Sends messages one after the other, each by itself; one that the server refuses does not
    /// keep back those behind it. `about` is the host that pays for it and the record that failures
    /// are told of. They wait in the queues of both families of the host, and what was accepted
    /// after them waits until the last is done. `done` is called once, within the timeout:
    /// `committed` when the server has confirmed all of them. With `served` nothing is sent, and
    /// the status is `unchanged`, if that is the record data of the one record that the server has
    /// there.
    void submit_messages(const RrsetKey& about, std::vector<dns::UpdateMessage> messages, Done done,
                         std::string served = {}) REQUIRES(engine_thread);

    void on_update(OnUpdate told) REQUIRES(engine_thread) { parts_.on_update = std::move(told); }

    /// Whether the last that is known of the desired record's RRset is what it asks for.
    [[nodiscard]] bool is_still_so(const DesiredRecord& desired) const REQUIRES(engine_thread);

    /// Takes it that the host lives in that zone, unless it is known, or being asked, where it
    /// lives. True when it lives there.
    bool believe_zone(HostId host, const dns::Name& zone) REQUIRES(engine_thread);

    /// Ends what has passed its deadline. Call it often while `busy()`.
    void tick() REQUIRES(engine_thread);

    /// Ends all that waits, as if its deadline had passed.
    void give_up_all() REQUIRES(engine_thread);

    /// True while a desired record or a message waits.
    [[nodiscard]] bool busy() const REQUIRES(engine_thread) { return waiting() > 0; }
    [[nodiscard]] std::size_t waiting() const REQUIRES(engine_thread) {
        return parts_.rrsets.waiting();
    }
    /// Bookkeeping that stands for RRsets at work; none of it is left when nothing waits and all
    /// is resolved.
    [[nodiscard]] std::size_t slots() const REQUIRES(engine_thread) { return parts_.rrsets.size(); }
    /// Deadlines that are still watched: none when nothing waits.
    [[nodiscard]] std::size_t deadlines() const REQUIRES(engine_thread) {
        return parts_.rrsets.deadlines() + scripts_.deadlines();
    }

    /// How long a request for a host of the zone may take.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& zone) const REQUIRES(engine_thread) {
        return parts_.limits.timeout_of(zone);
    }

    /// New limits; with `servers_changed` all that is known of zones and records is asked anew, and
    /// what is under way is told to nobody before the servers that are named now have confirmed it.
    void reconfigure(const EngineLimits& limits, bool servers_changed) REQUIRES(engine_thread);

private:
    EngineParts parts_ GUARDED_BY(engine_thread);
    Reconciler reconciler_ GUARDED_BY(engine_thread){parts_};
    BatchSender batches_ GUARDED_BY(engine_thread){parts_};
    ScriptSender scripts_ GUARDED_BY(engine_thread){parts_};
    base::TimePoint next_sweep_ GUARDED_BY(engine_thread){};
};

}  // namespace sftdyn::update
