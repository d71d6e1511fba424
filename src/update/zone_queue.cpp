#include "update/engine.hpp"

#include <algorithm>
#include <utility>

// Group commit: the changes of one zone go to the server in batches.

namespace sftdyn::update {

using dns::Change;
using dns::DnsError;

struct Engine::Batch {
    ZoneIndex zone;
    std::vector<Unit> units;
    unsigned generation = 0;  ///< of the configuration that it was made under
    bool answered = false;
    bool in_doubt = false;
};

/// A change whose desired has been given up is not sent; the target then goes on with what waits
/// behind it.
bool Engine::still_wanted(const Target& target) {
    const Slot& slot = slots_.at(target);
    return !slot.waiting.empty() && slot.waiting.front().ticket == slot.ticket;
}

std::vector<Engine::Unit> Engine::next_batch(Zone& zone) {
    std::vector<Unit> batch;
    if (!zone.retries.empty()) {
        batch = std::move(zone.retries.front());
        zone.retries.pop_front();
        return batch;
    }
    if (!zone.quarantined.empty() && (zone.clean.empty() || zone.quarantined_turn)) {
        batch.push_back(std::move(zone.quarantined.front()));
        zone.quarantined.pop_front();
        zone.quarantined_turn = false;
        return batch;
    }
    zone.quarantined_turn = true;
    std::size_t octets = 0, changes = 0;
    while (!zone.clean.empty()) {
        const Unit& unit = zone.clean.front();
        changes += unit.size();
        for (const Target& target : unit) octets += dns::wire_size_bound(slots_.at(target).change);
        const bool fits =
            octets <= limits_.batch_octets && changes <= std::max<std::size_t>(limits_.batch, 1);
        if (!fits && !batch.empty()) break;
        batch.push_back(std::move(zone.clean.front()));
        zone.clean.pop_front();
    }
    return batch;
}

void Engine::flush(ZoneIndex index) {
    while (zones_[index].in_flight < std::max(limits_.updates_in_flight, 1U) &&
           zones_[index].in_doubt == 0) {
        if (series_is_next(zones_[index])) {
            if (zones_[index].in_flight > 0) return;
            send_message(index);
            continue;
        }
        std::vector<Unit> batch = next_batch(zones_[index]);
        if (batch.empty()) return;
        std::vector<Target> dropped;
        std::erase_if(batch, [&](const Unit& unit) {
            // Those that belong together are given up together.
            if (std::all_of(unit.begin(), unit.end(),
                            [this](const Target& target) { return still_wanted(target); }))
                return false;
            dropped.insert(dropped.end(), unit.begin(), unit.end());
            return true;
        });
        if (!batch.empty()) {
            zones_[index].series_turn = true;
            send(index, std::move(batch));
        }
        for (const Target& target : dropped) {
            // Earlier parts of a split batch may have told what is served, but not of this one.
            slots_.at(target).served.reset();
            refund(target, slots_.at(target));
        }
        for (const Target& target : dropped) advance(target);
    }
}

void Engine::send(ZoneIndex index, std::vector<Unit> units) {
    auto batch = std::make_shared<Batch>(Batch{index, std::move(units), generation_});
    std::vector<Change> changes;
    changes.reserve(batch->units.size());
    base::TimePoint deadline{};
    for (const Unit& unit : batch->units) {
        for (const Target& target : unit) {
            Slot& slot = slots_.at(target);
            slot.phase = Phase::in_flight;
            changes.push_back(slot.change);
            deadline = std::max(deadline, slot.waiting.front().deadline);
        }
    }
    ++zones_[index].in_flight;
    const std::size_t count = changes.size();
    const auto done = [this, batch, count, began = clock_()](const dns::Reply& reply) {
        on_update_(count, clock_() - began);
        applied(batch, reply);
    };
    backend_.apply(zones_[index].name, std::move(changes), backend_deadline(deadline), done,
                   [this, batch] { resolved(batch); });
}

void Engine::applied(const std::shared_ptr<Batch>& batch, const dns::Reply& reply) {
    batch->answered = true;
    Zone& zone = zones_[batch->zone];
    // Until `resolved` says otherwise the server may still act on it.
    batch->in_doubt = reply.has_error();
    if (batch->in_doubt) ++zone.in_doubt;
    if (batch->generation != generation_) {
        // Another server may serve them now: whatever this one said is told to nobody.
        for (const Unit& unit : batch->units) {
            for (const Target& target : unit) start_over(target);
        }
        return;
    }
    if (reply.has_value()) {
        for (const Unit& unit : batch->units) {
            // All of them have their results before any goes on to its next desired.
            for (const Target& target : unit) committed(target);
            for (const Target& target : unit) advance(target);
        }
        return;
    }
    const DnsError& failure = reply.error();
    if (failure.is_refusal() && batch->units.size() > 1) {
        const auto middle =
            batch->units.begin() + static_cast<std::ptrdiff_t>(batch->units.size() / 2);
        zone.retries.emplace_front(middle, batch->units.end());
        zone.retries.emplace_front(batch->units.begin(), middle);
        return;
    }
    const std::vector<Unit> units = batch->units;
    for (const Unit& unit : units) {
        for (const Target& target : unit) refused(target, failure);
        for (const Target& target : unit) advance(target);
    }
}

void Engine::resolved(const std::shared_ptr<Batch>& batch) {
    Zone& zone = zones_[batch->zone];
    --zone.in_flight;
    if (batch->in_doubt) --zone.in_doubt;
    release_held(zone);
    flush(batch->zone);
}

void Engine::release_held(Zone& zone) {
    if (zone.in_doubt > 0) return;
    const std::vector<Target> held = std::move(zone.held);
    zone.held.clear();
    for (const Target& target : held) advance(target);
}

/// Takes out what waits to be sent in the zone, but for messages.
std::vector<Target> Engine::take_unsent(Zone& zone) {
    Unit out;
    const auto take = [&](const Unit& unit) { out.insert(out.end(), unit.begin(), unit.end()); };
    for (const auto& part : std::exchange(zone.retries, {}))
        std::for_each(part.begin(), part.end(), take);
    for (auto* queue : {&zone.clean, &zone.quarantined}) {
        std::for_each(queue->begin(), queue->end(), take);
        queue->clear();
    }
    return out;
}

/// Fails what waits to be sent in the zone.
void Engine::give_up_sending(Zone& zone, const DnsError& failure) {
    const auto series = std::exchange(zone.series, {});
    for (const Target& target : take_unsent(zone)) {
        refund(target, slots_.at(target));
        fail_all(target, failure);
    }
    for (const SeriesPtr& one : series) {
        if (one->done) fail(one, failure);
    }
}

void Engine::committed(const Target& target) {
    Slot& slot = slots_.at(target);
    quarantined_.erase(target);
    const bool removed = slot.change.kind == Change::Kind::remove;
    std::vector<std::string> before =
        slot.served ? std::move(*slot.served) : std::vector<std::string>();
    if (slot.change.kind == Change::Kind::remove_record) {
        slot.served.reset();
    } else {
        slot.served.emplace();
        if (!removed) slot.served->push_back(slot.change.rdata);
        slot.served_at = clock_();
    }
    slot.verified = false;
    if (still_wanted(target)) {
        const DesiredRecord desired = slot.waiting.front().desired;
        finish_front(target, slot, {slot.same ? UpdateStatus::unchanged : UpdateStatus::committed});
        if (desired.reverse) keep_reverse(desired, before);
    }
}

void Engine::refused(const Target& target, const DnsError& failure) {
    Slot& slot = slots_.at(target);
    slot.served.reset();
    if (failure.is_refusal()) {
        quarantined_.insert(target);
        set_zone(target.host, no_zone);
    }
    refund(target, slot);
    if (still_wanted(target)) {
        on_failure_(hosts_.name(target.host), target.type, failure);
        finish_front(target, slot, {UpdateStatus::failed});
    }
}

}  // namespace sftdyn::update
