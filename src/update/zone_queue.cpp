// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sftdyn::update {

void ZoneQueue::push(ChangeGroup group, bool quarantined) {
    (quarantined ? quarantined_ : clean_).push_back(std::move(group));
}

void ZoneQueue::push_halves(const std::vector<ChangeGroup>& batch) {
    assert(batch.size() > 1);
    const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
    retries_.emplace_front(middle, batch.end());
    retries_.emplace_front(batch.begin(), middle);
}

std::vector<RrsetKey> ZoneQueue::take_unsent() {
    std::vector<RrsetKey> unsent;
    const auto take = [&](const ChangeGroup& group) {
        unsent.insert(unsent.end(), group.begin(), group.end());
    };
    for (const auto& part : std::exchange(retries_, {}))
        std::for_each(part.begin(), part.end(), take);
    for (auto* queue : {&clean_, &quarantined_}) {
        std::for_each(queue->begin(), queue->end(), take);
        queue->clear();
    }
    return unsent;
}

bool ZoneQueue::may_send(const EngineLimits& limits) const {
    return in_flight_ < std::max(limits.updates_in_flight, 1U) && in_doubt_ == 0;
}

bool ZoneQueue::is_script_next() {
    while (!scripts_.empty() && scripts_.front()->has_ended()) scripts_.pop_front();
    if (scripts_.empty()) return false;
    return script_turn_ || (clean_.empty() && quarantined_.empty() && retries_.empty());
}

ScriptRunPtr ZoneQueue::take_script() {
    ScriptRunPtr script = std::move(scripts_.front());
    scripts_.pop_front();
    return script;
}

std::vector<ChangeGroup> ZoneQueue::take_batch(
    const EngineLimits& limits, const std::function<std::size_t(const RrsetKey&)>& octets_of) {
    std::vector<ChangeGroup> batch;
    if (!retries_.empty()) {
        batch = std::move(retries_.front());
        retries_.pop_front();
        return batch;
    }
    if (!quarantined_.empty() && (clean_.empty() || quarantined_turn_)) {
        batch.push_back(std::move(quarantined_.front()));
        quarantined_.pop_front();
        quarantined_turn_ = false;
        return batch;
    }
    quarantined_turn_ = true;
    std::size_t octets = 0, changes = 0;
    while (!clean_.empty()) {
        const ChangeGroup& group = clean_.front();
        changes += group.size();
        for (const RrsetKey& rrset : group) octets += octets_of(rrset);
        const bool fits =
            octets <= limits.batch_octets && changes <= std::max<std::size_t>(limits.batch, 1);
        if (!fits && !batch.empty()) break;
        batch.push_back(std::move(clean_.front()));
        clean_.pop_front();
    }
    return batch;
}

void ZoneQueue::batch_sent() {
    assert(in_doubt_ == 0);
    ++in_flight_;
    serial_.update_sent();
    script_turn_ = true;
    check();
}

void ZoneQueue::batch_in_doubt() {
    ++in_doubt_;
    check();
}

void ZoneQueue::batch_resolved(bool was_in_doubt) {
    assert(in_flight_ > 0);
    --in_flight_;
    serial_.update_resolved();
    if (was_in_doubt) --in_doubt_;
    check();
}

void ZoneQueue::script_message_sent() {
    assert(in_flight_ == 0 && in_doubt_ == 0);
    ++in_flight_;
    ++in_doubt_;
    serial_.update_sent();
    script_in_flight_ = true;
    script_turn_ = false;
    check();
}

void ZoneQueue::script_message_resolved() {
    assert(script_in_flight_);
    --in_flight_;
    --in_doubt_;
    serial_.update_resolved();
    script_in_flight_ = false;
    check();
}

void ZoneQueue::contact_begins() {
    assert(!contacting_ && in_flight_ == 0);
    contacting_ = true;
    ++in_doubt_;
    check();
}

void ZoneQueue::contact_ends() {
    assert(contacting_);
    contacting_ = false;
    --in_doubt_;
    check();
}

void ZoneQueue::check() const {
    // Only messages that we or an earlier process have sent can be in doubt.
    assert(in_doubt_ <= in_flight_ + (contacting_ ? 1U : 0U));
    assert(!contacting_ || in_doubt_ > 0);
    // While a message may be carried out, the serial proves nothing.
    assert(serial_.unresolved() == in_flight_);
    // A script's message is alone in flight.
    assert(!script_in_flight_ || (in_flight_ == 1 && in_doubt_ == 1));
}

}  // namespace sftdyn::update
