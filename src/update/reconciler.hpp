// SPDX-License-Identifier: GPL-3.0-or-later
// Makes each RRset match its desired record.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/read_back.hpp"
#include "update/reverse_records.hpp"
#include "update/serial_reader.hpp"
#include "update/withdrawals.hpp"

namespace sftdyn::update {

/// For the first desired record of each RRset, finds the zone, looks up the served records, and
/// decides on the change. `BatchSender` sends the change and reports the outcome back. Owned by
/// `Engine`; used on the engine's thread.
class Reconciler {
public:
    explicit Reconciler(EngineParts& parts) : parts_(parts) {}

    /// See `Engine`.
    void submit(DesiredRecord desired, OnOutcome done) REQUIRES(engine_thread);
    void submit_group(std::vector<DesiredRecord> desired_records, OnOutcomes done)
        REQUIRES(engine_thread);
    /// Fails desired records that have passed their deadline.
    void tick(base::TimePoint now) REQUIRES(engine_thread);
    /// True while `tick` is needed for a read-back, even if no desired record waits.
    [[nodiscard]] bool awaits_tick() const REQUIRES(engine_thread) {
        return read_back_.is_pausing();
    }
    /// Forgets all deadlines when nothing waits. Otherwise a flood of requests that are answered at
    /// once would leave their deadlines behind.
    void forget_deadlines() REQUIRES(engine_thread);

    /// Something that the RRset waited for has happened: continues its work as far as possible.
    void advance(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// As `advance`, for an RRset that a desired record was just submitted for. An RRset already at
    /// work is left alone.
    void begin(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// The host's zone was found. Desired records of this host that exceed the zone's queue limit
    /// are rejected.
    void enter_zone(HostId host, ZoneIndex zone) REQUIRES(engine_thread);
    /// See `Withdrawals`.
    void fail_all(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread) {
        withdrawals_.fail_all(rrset, failure);
    }

    // The outcome of a change that was sent or queued.
    /// The server has confirmed the group's changes in `zone`. Calls `advance` for them.
    void committed(ZoneIndex zone, const ChangeGroup& group) REQUIRES(engine_thread);
    /// The read-back has found the changes, or was not needed.
    void seen(const ChangeGroup& group) REQUIRES(engine_thread);
    /// The changes were confirmed, but are not served.
    void unseen(const ChangeGroup& group, const dns::DnsError& failure) REQUIRES(engine_thread);
    void refused(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread);
    /// The change was not sent, because its desired record has been given up. The caller calls
    /// `advance` afterwards.
    void dropped(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// The RRsets may have been changed since: the confirmation is discarded, and they are decided
    /// again.
    void decide_anew(const ChangeGroup& group) REQUIRES(engine_thread);
    /// The servers have changed: the RRset is decided again.
    void start_over(const RrsetKey& rrset) REQUIRES(engine_thread);
    [[nodiscard]] bool is_quarantined(const RrsetKey& rrset) const REQUIRES(engine_thread) {
        return quarantined_.contains(rrset);
    }

    /// The servers have changed: forgets all that is known and undoes all decisions.
    void forget_servers() REQUIRES(engine_thread);

private:
    [[nodiscard]] bool is_full(const DesiredRecord& desired) const REQUIRES(engine_thread);
    bool decide(const RrsetKey& rrset, RrsetQueue& queue) REQUIRES(engine_thread);
    void decide_group(const AtomicGroupPtr& group) REQUIRES(engine_thread);
    bool take_back_lost(const AtomicGroupPtr& group) REQUIRES(engine_thread);
    std::optional<base::Duration> charge(const AtomicGroup& group) REQUIRES(engine_thread);
    void answer_front(const RrsetKey& rrset, RrsetQueue& queue, UpdateOutcome outcome)
        REQUIRES(engine_thread);
    void finish_front(const RrsetKey& rrset, RrsetQueue& queue, UpdateOutcome outcome)
        REQUIRES(engine_thread);
    static void undo_decision(RrsetQueue& queue);

    void find_zone(const RrsetKey& rrset, RrsetQueue& queue) REQUIRES(engine_thread);
    void look_up(const RrsetKey& rrset, RrsetQueue& queue) REQUIRES(engine_thread);
    /// When and in which epoch the query was sent.
    struct LookUpStart {
        unsigned generation = 0;
        ZoneIndex zone = unresolved_zone;
        base::TimePoint sent{};
        SerialMark mark{};
    };
    void looked_up(const RrsetKey& rrset, const LookUpStart& start,
                   dns::DnsResult<ServedRecords> served) REQUIRES(engine_thread);
    void refund(const RrsetKey& rrset, RrsetQueue& queue) REQUIRES(engine_thread);
    void confirm(const RrsetKey& rrset) REQUIRES(engine_thread);

    EngineParts& parts_;
    Withdrawals withdrawals_{parts_};
    ReverseRecords reverse_records_{parts_};
    ReadBack read_back_{parts_};
    SerialReader serials_{parts_};
    std::unordered_set<RrsetKey> quarantined_;  ///< whose last change was refused when sent alone
};

}  // namespace sftdyn::update
