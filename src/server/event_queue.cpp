// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_queue.hpp"

namespace sftdyn::server {

EventQueue::Events::iterator EventQueue::find(const Record& record, EventKind kind) {
    const auto found = places_.find({record, kind});
    return found == places_.end() ? events_.end() : found->second;
}

void EventQueue::erase(Events::iterator event) {
    places_.erase(key_of(*event));
    events_.erase(event);
}

bool EventQueue::add(Event event) {
    const Record record = record_of(event);
    if (event.kind == EventKind::change) {
        for (const EventKind over : {EventKind::stale, EventKind::failure})
            if (const auto found = find(record, over); found != events_.end()) erase(found);
    }
    if (const auto waiting = find(record, event.kind); waiting != events_.end()) {
        if (event.kind == EventKind::change) event.old_address = waiting->old_address;
        *waiting = std::move(event);
        return true;
    }
    if (events_.size() >= capacity_) return false;
    events_.push_back(std::move(event));
    places_.emplace(key_of(events_.back()), std::prev(events_.end()));
    return true;
}

std::optional<Event> EventQueue::take(const std::function<bool(const Record&)>& busy) {
    for (auto event = events_.begin(); event != events_.end(); ++event) {
        if (busy(record_of(*event))) continue;
        Event out = *event;
        erase(event);
        return out;
    }
    return std::nullopt;
}

void EventQueue::put_back(Event event) {
    const Record record = record_of(event);
    const auto change = find(record, EventKind::change);
    if (event.kind != EventKind::change &&
        (change != events_.end() || find(record, event.kind) != events_.end()))
        return;
    if (event.kind == EventKind::change && change != events_.end()) {
        change->old_address = event.old_address;
        return;
    }
    events_.push_front(std::move(event));
    places_.emplace(key_of(events_.front()), events_.begin());
}

void EventQueue::erase_if(const std::function<bool(const Event&)>& unwanted) {
    for (auto event = events_.begin(); event != events_.end();) {
        const auto it = event++;
        if (unwanted(*it)) erase(it);
    }
}

}  // namespace sftdyn::server
