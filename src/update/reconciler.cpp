// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/reconciler.hpp"

#include <algorithm>
#include <utility>

#include "update/batch_sender.hpp"
#include "update/script_sender.hpp"

namespace sftdyn::update {

using dns::Change;
using dns::DnsError;

// --- desired records in, outcomes out

bool Reconciler::is_full(const DesiredRecord& desired) const {
    return parts_.zones.waiting(parts_.zones.of(desired.rrset.host)) >= parts_.limits.queue;
}

void Reconciler::submit(DesiredRecord desired, OnOutcome done) {
    if (is_full(desired)) return done({UpdateStatus::overloaded, EngineParts::overload_pause});
    const RrsetKey rrset = desired.rrset;
    parts_.rrsets.add(std::move(desired), {parts_.clock(), parts_.deadline_of(rrset.host)},
                      std::move(done), nullptr);
    begin(rrset);
    forget_deadlines();
}

void Reconciler::submit_group(std::vector<DesiredRecord> desired_records, OnOutcomes done) {
    if (std::any_of(desired_records.begin(), desired_records.end(),
                    [this](const DesiredRecord& desired) {
                        engine_thread.assert_held();
                        return is_full(desired);
                    }))
        return done(std::vector<UpdateOutcome>(
            desired_records.size(), {UpdateStatus::overloaded, EngineParts::overload_pause}));
    const auto group = std::make_shared<AtomicGroup>(std::move(done));
    const base::TimePoint arrived = parts_.clock();
    // The group is done together, so the longest timeout of its zones applies to all.
    base::TimePoint deadline = base::TimePoint::min();
    for (const DesiredRecord& desired : desired_records)
        deadline = std::max(deadline, parts_.deadline_of(desired.rrset.host));
    std::vector<RrsetKey> rrsets;
    // All members enter their queues before any is handled, so that two atomic groups that share
    // RRsets have the same order in each queue.
    for (DesiredRecord& desired : desired_records) {
        rrsets.push_back(desired.rrset);
        parts_.rrsets.add(std::move(desired), {arrived, deadline}, {}, group);
    }
    for (const RrsetKey& rrset : rrsets) begin(rrset);
    forget_deadlines();
}

void Reconciler::forget_deadlines() {
    if (parts_.rrsets.waiting() > 0) return;
    parts_.rrsets.forget_deadlines();
    parts_.scripts.forget_deadlines();
}

void Reconciler::tick(base::TimePoint now) {
    while (const auto due = parts_.rrsets.next_due(now))
        withdrawals_.expire(due->rrset, due->ticket);
    read_back_.tick(now);
}

void Reconciler::finish_front(const RrsetKey& rrset, RrsetQueue& queue, UpdateOutcome outcome) {
    Withdrawals::tell(parts_.rrsets.pop(rrset, queue), outcome);
}

void Reconciler::enter_zone(HostId host, ZoneIndex zone) {
    if (parts_.zones.of(host) == zone) return;
    parts_.rrsets.set_zone(host, zone);
    withdrawals_.enforce_queue_limit(host, zone);
}

// --- one RRset

void Reconciler::begin(const RrsetKey& rrset) {
    const RrsetQueue* queue = parts_.rrsets.find(rrset);
    if (queue != nullptr && queue->state() == RrsetState::idle) advance(rrset);
}

void Reconciler::advance(const RrsetKey& rrset) {
    for (;;) {
        RrsetQueue* queue = parts_.rrsets.find(rrset);
        if (queue == nullptr) return;
        if (queue->empty()) return parts_.rrsets.retire(rrset);
        if (queue->state() == RrsetState::ready && queue->is_still_wanted()) return;
        queue->enter(RrsetState::idle);
        const AtomicGroupPtr& group = queue->front().group;
        const bool is_place = group && group->script();
        if (!is_place || group->script()->needs_served(rrset)) {
            const ZoneIndex zone = parts_.zones.of(rrset.host);
            if (zone == unresolved_zone) return find_zone(rrset, *queue);
            if (!serials_.is_fresh(parts_.zones[zone], *queue)) {
                if (serials_.try_wait(zone, rrset, *queue)) return;
                return look_up(rrset, *queue);
            }
        }
        if (!decide(rrset, *queue)) return;
    }
}

/// Handles the first desired record with what is known. Returns false when an asynchronous
/// operation will call `advance`.
bool Reconciler::decide(const RrsetKey& rrset, RrsetQueue& queue) {
    if (const AtomicGroupPtr group = queue.front().group) {
        queue.begin_decision();
        queue.enter(RrsetState::ready);
        if (!group->became_ready()) return false;
        if (group->script()) {
            parts_.scripts.start(group->script());
        } else {
            decide_group(group);
        }
        return false;
    }
    const DesiredRecord& desired = queue.front().desired;
    if (matches(*queue.served(), desired)) {
        if (desired.kind == dns::ChangeKind::claim)
            reverse_records_.report_foreign(rrset, queue.served()->rdata, desired.rdata);
        if (queue.is_verified() && desired.reverse)
            reverse_records_.follow(DesiredRecord(desired), {});
        answer_front(rrset, queue, {UpdateStatus::unchanged});
        return true;
    }
    const auto wait =
        desired.unmetered ? std::nullopt : parts_.rate_limiter.spend(rrset.host, parts_.clock());
    if (wait) {
        answer_front(rrset, queue, {UpdateStatus::over_budget, EngineParts::whole_seconds(*wait)});
        return true;
    }
    queue.set_cost(!desired.unmetered, false);
    queue.queue_change(parts_.hosts.name(rrset.host));
    parts_.batches.enqueue({rrset});
    return false;
}

/// Reports an outcome that needed no message. The callback may submit again; the state prevents
/// recursion.
void Reconciler::answer_front(const RrsetKey& rrset, RrsetQueue& queue, UpdateOutcome outcome) {
    queue.enter(RrsetState::answering);
    queue.end_verified();
    finish_front(rrset, queue, outcome);
}

/// While a member waited for the others, its zone or its served records may have become unknown
/// again. Returns true when such a member has to be looked up again.
bool Reconciler::take_back_lost(const AtomicGroupPtr& group) {
    std::vector<RrsetKey> lost;
    for (const AtomicGroup::GroupMember& member : group->members()) {
        if (member.open && (parts_.zones.of(member.rrset.host) == unresolved_zone ||
                            !parts_.rrsets.at(member.rrset).served()))
            lost.push_back(member.rrset);
    }
    group->no_longer_ready(lost.size());
    for (const RrsetKey& rrset : lost) parts_.rrsets.at(rrset).enter(RrsetState::idle);
    for (const RrsetKey& rrset : lost) advance(rrset);
    return !lost.empty();
}

/// Decides for each member whether it changes anything, and charges the hosts' budgets: each host
/// once, however many of its records change. If a budget is exhausted, returns how long its host
/// has to wait, and charges nothing.
std::optional<base::Duration> Reconciler::charge(const AtomicGroup& group) {
    std::vector<RrsetKey> paid;
    std::optional<base::Duration> wait;
    for (const AtomicGroup::GroupMember& member : group.members()) {
        if (!member.open) continue;
        RrsetQueue& queue = parts_.rrsets.at(member.rrset);
        const DesiredRecord& desired = queue.front().desired;
        const bool same = matches(*queue.served(), desired);
        queue.set_cost(false, same);
        const bool host_paid = std::any_of(paid.begin(), paid.end(), [&](const RrsetKey& other) {
            return other.host == member.rrset.host;
        });
        if (same || desired.unmetered || wait || host_paid) continue;
        wait = parts_.rate_limiter.spend(member.rrset.host, parts_.clock());
        if (wait) continue;
        paid.push_back(member.rrset);
        queue.set_cost(true, false);
    }
    if (wait) {
        for (const RrsetKey& rrset : paid) refund(rrset, parts_.rrsets.at(rrset));
    }
    return wait;
}

/// Decides a group whose members are all first in their queues, with known served records. RRsets
/// that are finished continue with their next desired record here.
void Reconciler::decide_group(const AtomicGroupPtr& group) {
    if (take_back_lost(group)) return;
    const auto wait = charge(*group);
    std::map<ZoneIndex, ChangeGroup> changes;
    for (const AtomicGroup::GroupMember& member : group->members()) {
        // Closed members were decided under an earlier configuration.
        if (member.open) changes[parts_.zones.of(member.rrset.host)].push_back(member.rrset);
    }
    const auto is_same = [this](const RrsetKey& rrset) {
        engine_thread.assert_held();
        return parts_.rrsets.at(rrset).decision().same;
    };
    // Members that already match are sent along, so that they still match when the group is
    // answered.
    std::vector<RrsetKey> answered;
    std::erase_if(changes, [&](const auto& one) {
        const ChangeGroup& in_zone = one.second;
        if (!wait && !std::all_of(in_zone.begin(), in_zone.end(), is_same)) return false;
        answered.insert(answered.end(), in_zone.begin(), in_zone.end());
        return true;
    });
    for (const auto& [zone, in_zone] : changes) {
        for (const RrsetKey& rrset : in_zone)
            parts_.rrsets.at(rrset).queue_change(parts_.hosts.name(rrset.host));
    }
    for (const RrsetKey& rrset : answered) {
        RrsetQueue& queue = parts_.rrsets.at(rrset);
        const DesiredRecord desired = queue.front().desired;
        const bool same = queue.decision().same;
        if (same && queue.is_verified() && desired.reverse) reverse_records_.follow(desired, {});
        answer_front(
            rrset, queue,
            same ? UpdateOutcome{UpdateStatus::unchanged}
                 : UpdateOutcome{UpdateStatus::over_budget, EngineParts::whole_seconds(*wait)});
    }
    for (auto& [zone, in_zone] : changes) parts_.batches.enqueue(std::move(in_zone));
    for (const RrsetKey& rrset : answered) advance(rrset);
}

void Reconciler::find_zone(const RrsetKey& rrset, RrsetQueue& queue) {
    queue.enter(RrsetState::finding_zone);
    parts_.queries.when_free([this, rrset, deadline = queue.front().deadline] {
        engine_thread.assert_held();
        parts_.backend.find_zone(
            parts_.hosts.name(rrset.host), parts_.backend_deadline(deadline),
            [this, rrset, generation = parts_.generation](dns::DnsResult<dns::Name> zone) {
                engine_thread.assert_held();
                parts_.queries.done();
                if (generation != parts_.generation) return advance(rrset);
                if (zone.has_error()) return withdrawals_.fail_all(rrset, zone.error());
                enter_zone(rrset.host, parts_.batches.open_zone(*zone));
                advance(rrset);
            });
    });
}

void Reconciler::look_up(const RrsetKey& rrset, RrsetQueue& queue) {
    const ZoneIndex index = parts_.zones.of(rrset.host);
    ZoneQueue& zone = parts_.zones[index];
    if (zone.is_in_doubt()) {
        queue.enter(RrsetState::blocked);
        zone.block(rrset);
        return;
    }
    queue.enter(RrsetState::asking);
    parts_.queries.when_free(
        [this, rrset, index, deadline = queue.front().deadline, generation = parts_.generation] {
            engine_thread.assert_held();
            const ZoneQueue& asked = parts_.zones[index];
            const LookUpStart start{generation, index, parts_.clock(), asked.serial().mark()};
            parts_.backend.look_up(asked.name(), parts_.hosts.name(rrset.host), rrset.type,
                                   parts_.backend_deadline(deadline),
                                   [this, rrset, start](dns::DnsResult<ServedRecords> served) {
                                       engine_thread.assert_held();
                                       parts_.queries.done();
                                       looked_up(rrset, start, std::move(served));
                                   });
        });
}

void Reconciler::looked_up(const RrsetKey& rrset, const LookUpStart& start,
                           dns::DnsResult<ServedRecords> served) {
    if (start.generation != parts_.generation) return advance(rrset);
    RrsetQueue* queue = parts_.rrsets.find(rrset);
    if (served.has_error()) {
        // The server no longer serves the zone that we found, or has a child zone: the zone is
        // looked up again, now or next time.
        const bool is_elsewhere = served.error().kind == dns::ErrorKind::no_zone;
        if (served.error().is_refusal() || is_elsewhere)
            parts_.rrsets.set_zone(rrset.host, unresolved_zone);
        if (is_elsewhere && queue != nullptr && !queue->empty() && queue->may_seek_zone())
            return advance(rrset);
        return withdrawals_.fail_all(rrset, served.error());
    }
    if (queue == nullptr) return;
    // Another address may serve another version of the zone than the serial was read from.
    const bool is_of_epoch = served->source == parts_.zones[start.zone].serial().source();
    if (!queue->was_invalidated())
        queue->set_served(std::move(*served), start.sent, true,
                          is_of_epoch ? start.mark : SerialMark());
    advance(rrset);
}

void Reconciler::refund(const RrsetKey& rrset, RrsetQueue& queue) {
    if (queue.take_payment()) parts_.rate_limiter.refund(rrset.host, parts_.clock());
}

// --- the outcome of a change

void Reconciler::confirm(const RrsetKey& rrset) {
    RrsetQueue& queue = parts_.rrsets.at(rrset);
    quarantined_.erase(rrset);
    queue.keep_payment();
    const Change& change = queue.decision().change;
    queue.set_before(queue.served().value_or(ServedRecords()).rdata);
    if (change.kind == dns::ChangeKind::remove_record) return queue.forget_served();
    ServedRecords served{.ttl = change.ttl};
    if (change.kind != dns::ChangeKind::remove) served.rdata.push_back(change.rdata);
    queue.set_served(std::move(served), queue.decision().sent_at, false);
}

void Reconciler::committed(ZoneIndex zone, const ChangeGroup& group) {
    for (const RrsetKey& rrset : group) confirm(rrset);
    const bool is_wanted = std::any_of(group.begin(), group.end(), [this](const RrsetKey& rrset) {
        engine_thread.assert_held();
        return parts_.rrsets.at(rrset).is_still_wanted();
    });
    if (read_back_.is_due(group)) {
        if (is_wanted) return read_back_.begin(zone, group);
        // No desired record waits for the change any more: the next one queries the served records.
        for (const RrsetKey& rrset : group) parts_.rrsets.at(rrset).forget_served();
    }
    seen(group);
}

void Reconciler::seen(const ChangeGroup& group) {
    // All RRsets get their outcomes before any continues with its next desired record.
    for (const RrsetKey& rrset : group) {
        RrsetQueue& queue = parts_.rrsets.at(rrset);
        if (!queue.is_still_wanted()) continue;
        const DesiredRecord desired = queue.front().desired;
        const std::vector<std::string> before = queue.decision().before;
        finish_front(rrset, queue,
                     {queue.decision().same ? UpdateStatus::unchanged : UpdateStatus::committed});
        if (desired.reverse) reverse_records_.follow(desired, before);
    }
    for (const RrsetKey& rrset : group) advance(rrset);
}

void Reconciler::unseen(const ChangeGroup& group, const DnsError& failure) {
    for (const RrsetKey& rrset : group) {
        RrsetQueue& queue = parts_.rrsets.at(rrset);
        queue.forget_served();
        parts_.rrsets.set_zone(rrset.host, unresolved_zone);
        if (!queue.is_still_wanted()) continue;
        parts_.fail(rrset, failure);
        finish_front(rrset, queue, {UpdateStatus::failed});
    }
    for (const RrsetKey& rrset : group) advance(rrset);
}

void Reconciler::refused(const RrsetKey& rrset, const DnsError& failure) {
    RrsetQueue& queue = parts_.rrsets.at(rrset);
    queue.forget_served();
    if (failure.is_refusal()) {
        quarantined_.insert(rrset);
        parts_.rrsets.set_zone(rrset.host, unresolved_zone);
    }
    refund(rrset, queue);
    if (!queue.is_still_wanted()) return;
    parts_.fail(rrset, failure);
    finish_front(rrset, queue, {UpdateStatus::failed});
}

void Reconciler::dropped(const RrsetKey& rrset) {
    // Earlier parts of a split batch do not tell what is served for this RRset.
    RrsetQueue& queue = parts_.rrsets.at(rrset);
    queue.forget_served();
    refund(rrset, queue);
}

void Reconciler::decide_anew(const ChangeGroup& group) {
    for (const RrsetKey& rrset : group) undo_decision(parts_.rrsets.at(rrset));
    for (const RrsetKey& rrset : group) start_over(rrset);
}

void Reconciler::start_over(const RrsetKey& rrset) {
    RrsetQueue* queue = parts_.rrsets.find(rrset);
    if (queue == nullptr) return;
    queue->forget_served();
    queue->enter(RrsetState::idle);
    refund(rrset, *queue);
    advance(rrset);
}

void Reconciler::forget_servers() {
    quarantined_.clear();
    parts_.rrsets.for_each([](const RrsetKey&, RrsetQueue& queue) {
        queue.forget_served();
        if (queue.state() == RrsetState::queued || queue.state() == RrsetState::in_flight ||
            queue.state() == RrsetState::reading_back)
            undo_decision(queue);
    });
    read_back_.forget();
}

/// Undoes the decision. Outcomes that members of the group got from another server are not
/// reported.
void Reconciler::undo_decision(RrsetQueue& queue) {
    if (!queue.undo_decision()) return;
    const AtomicGroupPtr& group = queue.front().group;
    if (!group || group->script()) return;
    group->no_longer_ready(1);
    group->invalidate_closed();
}

}  // namespace sftdyn::update
