// SPDX-License-Identifier: GPL-3.0-or-later
// Which zone each host lives in, and the queue of each zone.
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

/// Knows the zones of hosts as far as they were found. A zone has one index for good. Owned by
/// `EngineParts`; used on the engine's thread.
class ZoneTable {
public:
    /// `unresolved_zone` when it is not known.
    [[nodiscard]] ZoneIndex of(HostId host) const {
        return host < zone_of_.size() ? zone_of_[host] : unresolved_zone;
    }
    /// The queues of the host's RRsets are counted where they wait: `RrsetTable::set_zone`.
    void set(HostId host, ZoneIndex zone);
    /// One more than the largest host that ever had a zone.
    [[nodiscard]] HostId host_end() const { return static_cast<HostId>(zone_of_.size()); }

    /// The index of a zone, and whether it was made by this call.
    struct Opened {
        ZoneIndex zone;
        bool is_new;
    };
    [[nodiscard]] Opened open(const dns::Name& name);
    [[nodiscard]] std::optional<ZoneIndex> find(const dns::Name& name) const;

    [[nodiscard]] ZoneQueue& operator[](ZoneIndex zone) { return queues_[zone]; }
    [[nodiscard]] const ZoneQueue& operator[](ZoneIndex zone) const { return queues_[zone]; }
    [[nodiscard]] ZoneIndex size() const { return static_cast<ZoneIndex>(queues_.size()); }

    /// How many desired records wait in the zone, or whose zone is not known.
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
