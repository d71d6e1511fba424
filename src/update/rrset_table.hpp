// SPDX-License-Identifier: GPL-3.0-or-later
// The queues of all RRsets that have waiting desired records.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "update/rrset_queue.hpp"
#include "update/served_cache.hpp"
#include "update/zone_table.hpp"

namespace sftdyn::update {

/// Owns the queues, counts the waiting desired records in total and per zone, and keeps their
/// deadlines. Owned by `EngineParts`; used on the engine's thread.
class RrsetTable {
public:
    using Waiting = RrsetQueue::Waiting;
    /// When a request arrived, and when it must be answered.
    struct RequestTimes {
        base::TimePoint arrived, deadline;
    };

    RrsetTable(ServedCache& known, ZoneTable& zones) : known_(known), zones_(zones) {}
    RrsetTable(const RrsetTable&) = delete;
    RrsetTable& operator=(const RrsetTable&) = delete;

    /// The RRset's queue; null: it has none.
    [[nodiscard]] RrsetQueue* find(const RrsetKey& rrset);
    [[nodiscard]] const RrsetQueue* find(const RrsetKey& rrset) const;
    [[nodiscard]] RrsetQueue& at(const RrsetKey& rrset) { return queues_.at(rrset); }
    template <class Visit>
    void for_each(const Visit& visit) {
        for (auto& [rrset, queue] : queues_) visit(rrset, queue);
    }

    /// Appends the desired record to its RRset's queue. A new queue takes the RRset's entry out of
    /// the `ServedCache`; until `retire`, no thread finds it there.
    void add(DesiredRecord desired, RequestTimes times, OnOutcome done,
             const AtomicGroupPtr& group);
    /// As `add`, for the place of a script, which watches its deadline itself.
    void add_place(const RrsetKey& rrset, RequestTimes times, const AtomicGroupPtr& group);

    /// Removes and returns the first entry of the queue.
    [[nodiscard]] Waiting pop(const RrsetKey& rrset, RrsetQueue& queue);
    [[nodiscard]] std::optional<Waiting> take(const RrsetKey& rrset, RrsetQueue& queue,
                                              std::uint64_t ticket);
    /// Removes the queue, in whatever state it is, and returns all its entries.
    [[nodiscard]] std::vector<Waiting> take_all(const RrsetKey& rrset);
    /// Removes the empty queue of the RRset, and puts its known state back into the `ServedCache`.
    void retire(const RrsetKey& rrset);

    /// Moves all RRsets of a host to the zone.
    void set_zone(HostId host, ZoneIndex zone);

    /// An entry in an RRset's queue that has passed its deadline.
    struct Due {
        RrsetKey rrset;
        std::uint64_t ticket;
    };
    /// The next entry that has passed its deadline. It may already have its outcome.
    [[nodiscard]] std::optional<Due> next_due(base::TimePoint now);
    /// To be called when nothing waits, and no deadline has to be watched.
    void forget_deadlines() { deadlines_.clear(); }

    [[nodiscard]] std::size_t size() const { return queues_.size(); }
    [[nodiscard]] std::size_t waiting() const { return waiting_; }
    [[nodiscard]] std::size_t deadlines() const { return deadlines_.size(); }

private:
    struct Deadline {
        base::TimePoint at;
        RrsetKey rrset;
        std::uint64_t ticket;
        friend bool operator>(const Deadline& a, const Deadline& b) {
            return std::pair(a.at, a.ticket) > std::pair(b.at, b.ticket);
        }
    };
    void push(DesiredRecord desired, RequestTimes times, OnOutcome done,
              const AtomicGroupPtr& group);
    void count_out(const RrsetKey& rrset, std::size_t count);

    ServedCache& known_;
    ZoneTable& zones_;
    std::unordered_map<RrsetKey, RrsetQueue> queues_;
    std::vector<Deadline> deadlines_;  ///< a heap: a new configuration may bring shorter ones
    std::size_t waiting_ = 0;
    std::uint64_t next_ticket_ = 1;
};

}  // namespace sftdyn::update
