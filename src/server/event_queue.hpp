// SPDX-License-Identifier: GPL-3.0-or-later
// What the event command still has to be told of.
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

/// The newest state of each record, in the order in which the records came. A pure data structure;
/// owned by `EventFeeder`, which locks.
class EventQueue {
public:
    /// A host and a type.
    using Record = std::pair<std::string, dns::Type>;
    [[nodiscard]] static Record record_of(const Event& event) { return {event.host, event.type}; }

    /// `capacity`: how many may wait. There are at most three for each record.
    explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}

    /// A change takes the place of one that waits, and keeps the old address of that one, which the
    /// command was told of last; a host that has changed is not stale any more, and does not fail.
    /// False: there is no room, and it is not taken.
    [[nodiscard]] bool add(Event event);

    /// What waits longest, of records that are not `busy`.
    [[nodiscard]] std::optional<Event> take(const std::function<bool(const Record&)>& busy);

    /// What was taken and could not be told comes first again, unless something newer waits.
    void put_back(Event event);

    /// Drops what need not be told any more.
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
