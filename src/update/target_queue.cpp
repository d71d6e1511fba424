// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/target_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sftdyn::update {

bool TargetQueue::may_follow(State from, State to) {
    switch (from) {
        case State::idle:
            return to != State::in_flight;
        case State::finding_zone:
        case State::blocked:
        case State::asking:
        case State::answering:
            return to == State::idle;
        case State::ready:
            return to == State::idle || to == State::queued || to == State::in_flight ||
                   to == State::answering;
        case State::queued:
            return to == State::idle || to == State::in_flight;
        case State::in_flight:
            return to == State::idle || to == State::queued;
    }
    return false;
}

void TargetQueue::enter(State next) {
    assert(next == state_ ? next == State::idle : may_follow(state_, next));
    if (state_ == State::asking) invalidated_ = false;
    state_ = next;
    check();
}

void TargetQueue::push(Waiting waiting) {
    assert(waiting_.empty() || waiting_.back().ticket < waiting.ticket);
    waiting_.push_back(std::move(waiting));
}

TargetQueue::Waiting TargetQueue::pop() {
    Waiting first = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return first;
}

std::optional<TargetQueue::Waiting> TargetQueue::take(std::uint64_t ticket) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Waiting& one) { return one.ticket == ticket; });
    if (found == waiting_.end()) return std::nullopt;
    std::optional<Waiting> taken(std::move(*found));
    waiting_.erase(found);
    return taken;
}

void TargetQueue::set_served(std::vector<std::string> served, base::TimePoint at, bool verified) {
    served_ = std::move(served);
    served_at_ = at;
    verified_ = verified;
}

void TargetQueue::forget_served() {
    served_.reset();
    verified_ = false;
}

void TargetQueue::invalidate() {
    forget_served();
    invalidated_ = state_ == State::asking;
}

void TargetQueue::queue_change(const dns::Name& owner) {
    const DesiredRecord& desired = front().desired;
    begin_decision();
    decision_.change = {owner, desired.target.type, desired.kind, desired.ttl, desired.rdata};
    if (desired.kind == dns::Change::Kind::remove) decision_.change.rdata.clear();
    enter(State::queued);
}

void TargetQueue::check() const {
    // An answer is not believed only while it is awaited.
    assert(!invalidated_ || state_ == State::asking);
    assert(!verified_ || served_);
    // What waits in the zone, runs or waits for others was decided for one of the queue's.
    [[maybe_unused]] const bool decided =
        state_ == State::ready || state_ == State::queued || state_ == State::in_flight;
    assert(!decided || decision_.ticket != 0);
}

}  // namespace sftdyn::update
