// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/rrset_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sftdyn::update {

bool RrsetQueue::may_follow(RrsetState from, RrsetState to) {
    switch (from) {
        case RrsetState::idle:
            return to != RrsetState::in_flight && to != RrsetState::reading_back;
        case RrsetState::finding_zone:
        case RrsetState::blocked:
        case RrsetState::confirming:
        case RrsetState::asking:
        case RrsetState::reading_back:
        case RrsetState::answering:
            return to == RrsetState::idle;
        case RrsetState::ready:
            return to == RrsetState::idle || to == RrsetState::queued ||
                   to == RrsetState::in_flight || to == RrsetState::answering;
        case RrsetState::queued:
            return to == RrsetState::idle || to == RrsetState::in_flight;
        case RrsetState::in_flight:
            return to == RrsetState::idle || to == RrsetState::queued ||
                   to == RrsetState::reading_back;
    }
    return false;
}

void RrsetQueue::enter(RrsetState next) {
    assert(next == state_ ? next == RrsetState::idle : may_follow(state_, next));
    if (is_awaiting_answer()) invalidated_ = false;
    state_ = next;
    check();
}

void RrsetQueue::push(Waiting waiting) {
    assert(waiting_.empty() || waiting_.back().ticket < waiting.ticket);
    waiting_.push_back(std::move(waiting));
}

RrsetQueue::Waiting RrsetQueue::pop() {
    Waiting first = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return first;
}

std::optional<RrsetQueue::Waiting> RrsetQueue::take(std::uint64_t ticket) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Waiting& one) { return one.ticket == ticket; });
    if (found == waiting_.end()) return std::nullopt;
    std::optional<Waiting> taken(std::move(*found));
    waiting_.erase(found);
    return taken;
}

std::vector<std::uint64_t> RrsetQueue::desired_records() const {
    std::vector<std::uint64_t> tickets;
    for (const Waiting& one : waiting_) {
        if (!one.group || !one.group->script()) tickets.push_back(one.ticket);
    }
    return tickets;
}

void RrsetQueue::set_served(ServedRecords served, base::TimePoint at, bool verified,
                            SerialMark mark) {
    served_ = std::move(served);
    served_at_ = at;
    mark_ = mark;
    verified_at_ = verified ? std::optional(at) : std::nullopt;
}

void RrsetQueue::forget_served() {
    served_.reset();
    mark_ = {};
    verified_at_.reset();
}

void RrsetQueue::invalidate() {
    forget_served();
    invalidated_ = is_awaiting_answer();
}

void RrsetQueue::queue_change(const dns::Name& owner) {
    const DesiredRecord& desired = front().desired;
    begin_decision();
    decision_.change = {owner, desired.rrset.type, desired.kind, desired.ttl, desired.rdata};
    if (desired.kind == dns::ChangeKind::remove) decision_.change.rdata.clear();
    enter(RrsetState::queued);
}

void RrsetQueue::check() const {
    // Only an expected answer can be invalidated.
    assert(!invalidated_ || is_awaiting_answer());
    assert(!verified_at_ || served_);
    // In these states there is a decision for a desired record of this queue.
    [[maybe_unused]] const bool decided =
        state_ == RrsetState::ready || state_ == RrsetState::queued ||
        state_ == RrsetState::in_flight || state_ == RrsetState::reading_back;
    assert(!decided || decision_.ticket != 0);
}

}  // namespace sftdyn::update
