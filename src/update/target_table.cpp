// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/target_table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sftdyn::update {

TargetQueue* TargetTable::find(const Target& target) {
    const auto found = queues_.find(target);
    return found == queues_.end() ? nullptr : &found->second;
}

const TargetQueue* TargetTable::find(const Target& target) const {
    const auto found = queues_.find(target);
    return found == queues_.end() ? nullptr : &found->second;
}

void TargetTable::add(DesiredRecord desired, base::TimePoint deadline, OnOutcome done,
                      const AtomicGroupPtr& group) {
    deadlines_.push_back({deadline, desired.target, next_ticket_});
    std::push_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    push(std::move(desired), deadline, std::move(done), group);
}

void TargetTable::add_place(const Target& target, base::TimePoint deadline,
                            const AtomicGroupPtr& group) {
    DesiredRecord place;
    place.target = target;
    push(std::move(place), deadline, {}, group);
}

void TargetTable::push(DesiredRecord desired, base::TimePoint deadline, OnOutcome done,
                       const AtomicGroupPtr& group) {
    const Target target = desired.target;
    const std::uint64_t ticket = next_ticket_++;
    ++zones_.waiting(zones_.of(target.host));
    ++waiting_;
    const auto [found, is_new] = queues_.try_emplace(target);
    TargetQueue& queue = found->second;
    if (is_new) {
        if (const auto known = known_.take(target)) {
            std::vector<std::string> served;
            if (!known->rdata.empty()) served.push_back(known->rdata);
            queue.set_served(std::move(served), known->at, false);
        }
    }
    const std::size_t index = group ? group->add(target, ticket) : 0;
    queue.push({std::move(desired), std::move(done), deadline, ticket, group, index});
}

TargetTable::Waiting TargetTable::pop(const Target& target, TargetQueue& queue) {
    Waiting first = queue.pop();
    count_out(target, 1);
    return first;
}

std::optional<TargetTable::Waiting> TargetTable::take(const Target& target, TargetQueue& queue,
                                                      std::uint64_t ticket) {
    auto taken = queue.take(ticket);
    if (taken) count_out(target, 1);
    return taken;
}

std::vector<TargetTable::Waiting> TargetTable::take_all(const Target& target) {
    const auto found = queues_.find(target);
    if (found == queues_.end()) return {};
    auto waiting = found->second.take_all();
    queues_.erase(found);
    count_out(target, waiting.size());
    return waiting;
}

void TargetTable::retire(const Target& target) {
    const auto found = queues_.find(target);
    const TargetQueue& queue = found->second;
    assert(queue.empty());
    if (const auto& served = queue.served(); served && served->size() <= 1) {
        known_.set(target, served->empty() ? std::string() : served->front(), queue.served_at());
    }
    queues_.erase(found);
}

void TargetTable::count_out(const Target& target, std::size_t count) {
    std::size_t& in_zone = zones_.waiting(zones_.of(target.host));
    assert(waiting_ >= count && in_zone >= count);
    waiting_ -= count;
    in_zone -= count;
}

void TargetTable::set_zone(HostId host, ZoneIndex zone) {
    const ZoneIndex before = zones_.of(host);
    if (before == zone) return;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::ptr}) {
        const TargetQueue* queue = find(Target{host, type});
        if (queue == nullptr) continue;
        zones_.waiting(before) -= queue->size();
        zones_.waiting(zone) += queue->size();
    }
    zones_.set(host, zone);
}

std::optional<TargetTable::Due> TargetTable::next_due(base::TimePoint now) {
    if (deadlines_.empty() || deadlines_.front().at > now) return std::nullopt;
    std::pop_heap(deadlines_.begin(), deadlines_.end(), std::greater<>());
    const Deadline due = deadlines_.back();
    deadlines_.pop_back();
    return Due{due.target, due.ticket};
}

}  // namespace sftdyn::update
