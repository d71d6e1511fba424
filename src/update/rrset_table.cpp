// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/rrset_table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sftdyn::update {

RrsetQueue* RrsetTable::find(const RrsetKey& rrset) {
    const auto found = queues_.find(rrset);
    return found == queues_.end() ? nullptr : &found->second;
}

const RrsetQueue* RrsetTable::find(const RrsetKey& rrset) const {
    const auto found = queues_.find(rrset);
    return found == queues_.end() ? nullptr : &found->second;
}

void RrsetTable::add(DesiredRecord desired, RequestTimes times, OnOutcome done,
                     const AtomicGroupPtr& group) {
    deadlines_.push_back({times.deadline, desired.rrset, next_ticket_});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    push(std::move(desired), times, std::move(done), group);
}

void RrsetTable::add_place(const RrsetKey& rrset, RequestTimes times, const AtomicGroupPtr& group) {
    DesiredRecord place;
    place.rrset = rrset;
    push(std::move(place), times, {}, group);
}

void RrsetTable::push(DesiredRecord desired, RequestTimes times, OnOutcome done,
                      const AtomicGroupPtr& group) {
    const RrsetKey rrset = desired.rrset;
    const std::uint64_t ticket = next_ticket_++;
    ++zones_.waiting(zones_.of(rrset.host));
    ++waiting_;
    const auto [found, is_new] = queues_.try_emplace(rrset);
    RrsetQueue& queue = found->second;
    if (is_new) {
        if (const auto known = known_.take(rrset)) {
            ServedRecords served{.ttl = known->ttl};
            if (!known->rdata.empty()) served.rdata.push_back(known->rdata);
            queue.set_served(std::move(served), known->at, false, known->mark);
        }
    }
    const std::size_t index = group ? group->add(rrset, ticket) : 0;
    queue.push(
        {std::move(desired), std::move(done), times.arrived, times.deadline, ticket, group, index});
}

RrsetTable::Waiting RrsetTable::pop(const RrsetKey& rrset, RrsetQueue& queue) {
    Waiting first = queue.pop();
    count_out(rrset, 1);
    return first;
}

std::optional<RrsetTable::Waiting> RrsetTable::take(const RrsetKey& rrset, RrsetQueue& queue,
                                                    std::uint64_t ticket) {
    auto taken = queue.take(ticket);
    if (taken) count_out(rrset, 1);
    return taken;
}

std::vector<RrsetTable::Waiting> RrsetTable::take_all(const RrsetKey& rrset) {
    const auto found = queues_.find(rrset);
    if (found == queues_.end()) return {};
    auto waiting = found->second.take_all();
    queues_.erase(found);
    count_out(rrset, waiting.size());
    return waiting;
}

void RrsetTable::retire(const RrsetKey& rrset) {
    const auto found = queues_.find(rrset);
    const RrsetQueue& queue = found->second;
    assert(queue.empty());
    if (const auto& served = queue.served();
        served && served->is_known && served->rdata.size() <= 1) {
        const bool is_empty = served->rdata.empty();
        known_.set(rrset, is_empty ? std::string() : served->rdata.front(), queue.served_at(),
                   served->ttl, queue.mark());
    }
    queues_.erase(found);
}

void RrsetTable::count_out(const RrsetKey& rrset, std::size_t count) {
    std::size_t& in_zone = zones_.waiting(zones_.of(rrset.host));
    assert(waiting_ >= count && in_zone >= count);
    waiting_ -= count;
    in_zone -= count;
}

void RrsetTable::set_zone(HostId host, ZoneIndex zone) {
    const ZoneIndex before = zones_.of(host);
    if (before == zone) return;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
        const RrsetQueue* queue = find(RrsetKey{host, type});
        if (queue == nullptr) continue;
        zones_.waiting(before) -= queue->size();
        zones_.waiting(zone) += queue->size();
    }
    zones_.set(host, zone);
}

std::optional<RrsetTable::Due> RrsetTable::next_due(base::TimePoint now) {
    if (deadlines_.empty() || deadlines_.front().at > now) return std::nullopt;
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    const Deadline due = deadlines_.back();
    deadlines_.pop_back();
    return Due{due.rrset, due.ticket};
}

}  // namespace sftdyn::update
