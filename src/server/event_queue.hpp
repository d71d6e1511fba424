// SPDX-License-Identifier: GPL-3.0-or-later
// The queue of events that wait for the event command.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "server/event.hpp"

namespace sftdyn::server {

/// Holds the newest state of each record, in order of arrival. A pure data structure without
/// locking; owned by `EventFeeder`, which locks.
class EventQueue {
public:
    /// A host and a type.
    using Record = std::pair<std::string, dns::Type>;
    [[nodiscard]] static Record record_of(const Event& event) { return {event.host, event.type}; }

    /// `capacity` is the maximum number of events. At most three wait for each record.
    explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Adds an event. A change replaces a waiting change, and keeps its old address, which is the
    /// one that the command was last told. A change also removes the waiting `stale` and `failure`
    /// events of its record. False: the queue is full, and the event was not added.
    [[nodiscard]] bool add(Event event);

    /// Removes and returns the oldest event whose record is not `busy`.
    [[nodiscard]] std::optional<Event> take(const std::function<bool(const Record&)>& busy);

    /// Puts an event that could not be delivered back to the front, unless a newer one of the
    /// record waits.
    void put_back(Event event);

    /// Drops the events that `unwanted` selects.
    void erase_if(const std::function<bool(const Event&)>& unwanted);

    [[nodiscard]] std::size_t size() const { return events_.size(); }
    [[nodiscard]] const std::list<Event>& events() const { return events_; }

private:
    using Events = std::list<Event>;
    using Key = std::pair<Record, EventKind>;
    [[nodiscard]] static Key key_of(const Event& event) { return {record_of(event), event.kind}; }
    [[nodiscard]] Events::iterator find(const Record& record, EventKind kind);
    void erase(Events::iterator event);

    std::size_t capacity_;
    Events events_;
    std::map<Key, Events::iterator> places_;
};

}  // namespace sftdyn::server
