// SPDX-License-Identifier: GPL-3.0-or-later
// The queues of the RRsets that are at work.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "update/rrset_queue.hpp"
#include "update/served_cache.hpp"
#include "update/zone_table.hpp"

namespace sftdyn::update {

/// Owns the queues, and counts how many desired records wait, in all and in each zone, and until
/// when. Owned by `EngineParts`; used on the engine's thread.
class RrsetTable {
public:
    using Waiting = RrsetQueue::Waiting;

    RrsetTable(ServedCache& known, ZoneTable& zones) : known_(known), zones_(zones) {}
    RrsetTable(const RrsetTable&) = delete;
    RrsetTable& operator=(const RrsetTable&) = delete;

    /// Null when nothing is at work for it.
    [[nodiscard]] RrsetQueue* find(const RrsetKey& rrset);
    [[nodiscard]] const RrsetQueue* find(const RrsetKey& rrset) const;
    [[nodiscard]] RrsetQueue& at(const RrsetKey& rrset) { return queues_.at(rrset); }
    template <class Visit>
    void for_each(const Visit& visit) {
        for (auto& [rrset, queue] : queues_) visit(rrset, queue);
    }

    /// Puts it behind what waits for its RRset; with the first, what is known of the RRset comes
    /// out of the `ServedCache`, and nobody is told of it meanwhile.
    void add(DesiredRecord desired, base::TimePoint deadline, OnOutcome done,
             const AtomicGroupPtr& group);
    /// As `add`, for the place of a script, which watches its deadline itself.
    void add_place(const RrsetKey& rrset, base::TimePoint deadline, const AtomicGroupPtr& group);

    /// Takes what waits out of its queue.
    [[nodiscard]] Waiting pop(const RrsetKey& rrset, RrsetQueue& queue);
    [[nodiscard]] std::optional<Waiting> take(const RrsetKey& rrset, RrsetQueue& queue,
                                              std::uint64_t ticket);
    /// … all of it, and the queue too, whatever it was at.
    [[nodiscard]] std::vector<Waiting> take_all(const RrsetKey& rrset);
    /// Nothing waits for the RRset any more: what is known of it is for all threads again.
    void retire(const RrsetKey& rrset);

    /// All of a host's RRsets move to the zone together.
    void set_zone(HostId host, ZoneIndex zone);

    /// What has passed its deadline: a place in the queue of an RRset.
    struct Due {
        RrsetKey rrset;
        std::uint64_t ticket;
    };
    /// The next that has passed its deadline. It may have been answered meanwhile.
    [[nodiscard]] std::optional<Due> next_due(base::TimePoint now);
    /// Nothing waits: no deadline has to be watched.
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
    void push(DesiredRecord desired, base::TimePoint deadline, OnOutcome done,
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
