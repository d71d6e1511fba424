// SPDX-License-Identifier: GPL-3.0-or-later
// The zone of each host, and the queue of each zone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "update/zone_queue.hpp"

namespace sftdyn::update {

using ZoneIndex = std::uint32_t;
constexpr ZoneIndex unresolved_zone = ~ZoneIndex(0);

/// Stores the zones that were found for hosts. A zone keeps its index. Owned by `EngineParts`; used
/// on the engine's thread.
class ZoneTable {
public:
    /// The host's zone; `unresolved_zone` when it is not known.
    [[nodiscard]] ZoneIndex of(HostId host) const {
        return host < zone_of_.size() ? zone_of_[host] : unresolved_zone;
    }
    /// Does not move the counts of waiting desired records: `RrsetTable::set_zone` does.
    void set(HostId host, ZoneIndex zone);
    /// One more than the largest host number that ever had a zone.
    [[nodiscard]] HostId host_end() const { return static_cast<HostId>(zone_of_.size()); }

    /// The index of a zone, and whether this call has added the zone.
    struct Opened {
        ZoneIndex zone;
        bool is_new;
    };
    [[nodiscard]] Opened open(const dns::Name& name);
    [[nodiscard]] std::optional<ZoneIndex> find(const dns::Name& name) const;

    [[nodiscard]] ZoneQueue& operator[](ZoneIndex zone) { return queues_[zone]; }
    [[nodiscard]] const ZoneQueue& operator[](ZoneIndex zone) const { return queues_[zone]; }
    [[nodiscard]] ZoneIndex size() const { return static_cast<ZoneIndex>(queues_.size()); }

    /// The number of desired records that wait in the zone, or, for `unresolved_zone`, that have no
    /// known zone.
    [[nodiscard]] std::size_t& waiting(ZoneIndex zone) {
        return zone == unresolved_zone ? unresolved_ : queues_[zone].waiting;
    }

private:
    std::deque<ZoneQueue> queues_;
    std::map<dns::Name, ZoneIndex> indices_;
    std::vector<ZoneIndex> zone_of_;  ///< by host
    std::size_t unresolved_ = 0;
};

}  // namespace sftdyn::update
