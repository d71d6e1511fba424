// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/engine_limits.hpp"

#include <algorithm>

namespace sftdyn::update {

base::Duration EngineLimits::timeout_of(const dns::Name& name) const {
    const ZoneTimeout* closest = nullptr;
    for (const ZoneTimeout& one : zone_timeouts) {
        const bool is_closer = closest == nullptr || one.zone.size() > closest->zone.size();
        if (is_closer && name.is_within(one.zone)) closest = &one;
    }
    return closest == nullptr ? timeout : closest->timeout;
}

base::Duration EngineLimits::shortest_timeout() const {
    base::Duration shortest = timeout;
    for (const ZoneTimeout& one : zone_timeouts) shortest = std::min(shortest, one.timeout);
    return shortest;
}

}  // namespace sftdyn::update
