// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/withdrawals.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "update/reconciler.hpp"

namespace sftdyn::update {

using dns::DnsError;

void Withdrawals::tell(const RrsetQueue::Waiting& waiting, UpdateOutcome outcome) {
    if (!waiting.group) return waiting.done(outcome);
    waiting.group->close(waiting.index, outcome);
}

void Withdrawals::expire(const RrsetKey& rrset, std::uint64_t ticket) {
    const auto late = take(rrset, ticket);
    if (!late) return;
    parts_.fail(rrset, why_late(parts_.zones.of(rrset.host)));
    end(rrset, *late, {UpdateStatus::failed});
}

std::optional<Withdrawals::Withdrawn> Withdrawals::take(const RrsetKey& rrset,
                                                        std::uint64_t ticket) {
    RrsetQueue* queue = parts_.rrsets.find(rrset);
    if (queue == nullptr) return std::nullopt;
    // The RRset was waiting for this desired record alone.
    const bool stopped = queue->is_first(ticket) && queue->state() == RrsetState::ready;
    auto taken = parts_.rrsets.take(rrset, *queue, ticket);
    if (!taken) return std::nullopt;
    return Withdrawn{std::move(*taken), stopped};
}

void Withdrawals::end(const RrsetKey& rrset, const Withdrawn& withdrawn, UpdateOutcome outcome) {
    tell(withdrawn.waiting, outcome);
    if (withdrawn.waiting.group) end_group(*withdrawn.waiting.group, outcome);
    if (withdrawn.stopped) parts_.reconciler.advance(rrset);
}

/// One member can't be served, so those that still wait end too.
void Withdrawals::end_group(const AtomicGroup& group, UpdateOutcome outcome) {
    std::vector<RrsetQueue::Waiting> withdrawn;
    std::vector<RrsetKey> stopped;
    for (const AtomicGroup::GroupMember& member : group.members()) {
        if (!member.open) continue;
        auto taken = take(member.rrset, member.ticket);
        if (!taken) continue;
        if (taken->stopped) stopped.push_back(member.rrset);
        withdrawn.push_back(std::move(taken->waiting));
    }
    for (const auto& one : withdrawn) tell(one, outcome);
    for (const RrsetKey& rrset : stopped) parts_.reconciler.advance(rrset);
}

void Withdrawals::fail_all(const RrsetKey& rrset, const DnsError& failure) {
    for (const auto& one : parts_.rrsets.take_all(rrset)) {
        parts_.fail(rrset, failure);
        tell(one, {UpdateStatus::failed});
        if (one.group) end_group(*one.group, {UpdateStatus::failed});
    }
}

void Withdrawals::enforce_queue_limit(HostId host, ZoneIndex zone) {
    std::vector<std::pair<std::uint64_t, RrsetKey>> newest;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
        const RrsetKey rrset{host, type};
        const RrsetQueue* queue = parts_.rrsets.find(rrset);
        if (queue == nullptr || parts_.zones.waiting(zone) <= parts_.limits.queue) continue;
        for (const std::uint64_t ticket : queue->desired_records())
            newest.emplace_back(ticket, rrset);
    }
    std::sort(newest.begin(), newest.end(),
              [](const auto& one, const auto& other) { return one.first > other.first; });
    for (const auto& [ticket, rrset] : newest) {
        if (parts_.zones.waiting(zone) <= parts_.limits.queue) return;
        if (const auto excess = take(rrset, ticket))
            end(rrset, *excess, {UpdateStatus::overloaded, EngineParts::overload_pause});
    }
}

DnsError Withdrawals::why_late(ZoneIndex index) const {
    const char* hint = "is the DNS server running, and not overloaded?";
    if (index == unresolved_zone || !parts_.zones[index].is_in_doubt())
        return {dns::ErrorKind::deadline_exceeded, 0, "", "it was not done in time", hint};
    if (parts_.zones[index].is_contacting())
        return {dns::ErrorKind::timeout, 0, "",
                "the DNS server did not answer the first UPDATE of the zone in time (it changes "
                "nothing: it is a fence)",
                hint};
    return {dns::ErrorKind::deadline_exceeded, 0, "",
            "an earlier UPDATE of the zone is still unanswered, and nothing is sent that could "
            "overtake it",
            hint};
}

}  // namespace sftdyn::update
