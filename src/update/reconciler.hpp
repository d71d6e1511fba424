// SPDX-License-Identifier: GPL-3.0-or-later
// Brings each RRset to its desired record.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/reverse_records.hpp"
#include "update/withdrawals.hpp"

namespace sftdyn::update {

/// For the first desired record of each RRset it finds the zone, learns what is served, and decides
/// what has to change. What has to change goes to the `BatchSender`, which reports back here. Owned
/// by `Engine`; used on the engine's thread.
class Reconciler {
public:
    explicit Reconciler(EngineParts& parts) : parts_(parts) {}

    /// See `Engine`.
    void submit(DesiredRecord desired, OnOutcome done) REQUIRES(engine_thread);
    void submit_group(std::vector<DesiredRecord> desired_records, OnOutcomes done)
        REQUIRES(engine_thread);
    /// Ends what has passed its deadline.
    void tick(base::TimePoint now) REQUIRES(engine_thread);
    /// What is answered at once needs no watching; without this a flood of it would leave its
    /// deadlines behind.
    void forget_deadlines() REQUIRES(engine_thread);

    /// Something that the RRset waited for has happened: as far as it gets.
    void advance(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// As `advance`, for what has just been submitted: whatever is at work already goes on.
    void begin(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// The host's zone was found. What then waits there beyond the queue's limit, and came with
    /// this host, is turned away.
    void enter_zone(HostId host, ZoneIndex zone) REQUIRES(engine_thread);
    /// See `Withdrawals`.
    void fail_all(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread) {
        withdrawals_.fail_all(rrset, failure);
    }

    // The outcome of a change that was sent, or was to be.
    void committed(const RrsetKey& rrset) REQUIRES(engine_thread);
    void refused(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread);
    /// It was not sent, since who wanted it has been given up. `advance` follows.
    void dropped(const RrsetKey& rrset) REQUIRES(engine_thread);
    /// Another server is asked from now on: the RRset is decided anew.
    void start_over(const RrsetKey& rrset) REQUIRES(engine_thread);
    [[nodiscard]] bool is_quarantined(const RrsetKey& rrset) const REQUIRES(engine_thread) {
        return quarantined_.contains(rrset);
    }

    /// The servers have changed: nothing that is known holds, and what is decided is undone.
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
    void looked_up(const RrsetKey& rrset, dns::DnsResult<std::vector<std::string>> served)
        REQUIRES(engine_thread);
    void refund(const RrsetKey& rrset, RrsetQueue& queue) REQUIRES(engine_thread);

    EngineParts& parts_;
    Withdrawals withdrawals_{parts_};
    ReverseRecords reverse_records_{parts_};
    std::unordered_set<RrsetKey> quarantined_;  ///< whose last change the server refused alone
};

}  // namespace sftdyn::update
