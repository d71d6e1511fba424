// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_table.hpp"

#include <algorithm>

namespace sftdyn::update {

void ZoneTable::set(HostId host, ZoneIndex zone) {
    if (host >= zone_of_.size())
        zone_of_.resize(std::max<std::size_t>(host + 1, zone_of_.size() * 2), unresolved_zone);
    zone_of_[host] = zone;
}

ZoneTable::Opened ZoneTable::open(const dns::Name& name) {
    const auto [found, is_new] = indices_.try_emplace(name, size());
    if (is_new) queues_.emplace_back(name);
    return {found->second, is_new};
}

std::optional<ZoneIndex> ZoneTable::find(const dns::Name& name) const {
    const auto found = indices_.find(name);
    if (found == indices_.end()) return std::nullopt;
    return found->second;
}

}  // namespace sftdyn::update
