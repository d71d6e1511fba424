// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/served_cache.hpp"

#include <cstring>
#include <tuple>

namespace sftdyn::update {

HostId HostTable::number(const dns::Name& name) { return number(std::string_view(name.bytes())); }

HostId HostTable::number(std::string_view wire) {
    const base::MutexLock lock(mutex_);
    return names_.insert(wire).first;
}

std::optional<HostId> HostTable::find(const dns::Name& name) const {
    const base::MutexLock lock(mutex_);
    return names_.find(name.bytes());
}

dns::Name HostTable::name(HostId host) const {
    const base::MutexLock lock(mutex_);
    return dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(names_.view(host).data()));
}

std::size_t HostTable::size() const {
    const base::MutexLock lock(mutex_);
    return names_.size();
}

void HostTable::reserve(std::size_t hosts, std::size_t octets) {
    const base::MutexLock lock(mutex_);
    names_.reserve(hosts, octets);
}

ZoneStamp& ServedCache::add_zone() {
    const base::MutexLock lock(zones_mutex_);
    return zones_.emplace_back();
}

bool ServedCache::is_served(const RrsetKey& rrset, std::string_view rdata, base::TimePoint since,
                            std::optional<std::uint32_t> ttl) const {
    const ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    return found != shard.entries.end() && found->second.data() == rdata &&
           (!ttl || rdata.empty() || found->second.ttl == *ttl) && found->second.was_served(since);
}

std::optional<ServedCache::Known> ServedCache::take(const RrsetKey& rrset) {
    ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    if (found == shard.entries.end()) return std::nullopt;
    const ServedEntry& entry = found->second;
    Known out{std::string(entry.data()), entry.at, entry.ttl, {entry.zone, entry.epoch}};
    shard.entries.erase(found);
    return out;
}

void ServedCache::set(const RrsetKey& rrset, std::string_view rdata, base::TimePoint at,
                      std::uint32_t ttl, SerialMark mark) {
    if (rdata.size() > std::tuple_size_v<decltype(ServedEntry::rdata)>) return forget(rrset);
    ServedEntry entry;
    entry.size = rdata.size() & 31U;
    entry.epoch = mark.epoch & ((std::uint32_t(1) << ZoneStamp::epoch_bits) - 1);
    entry.ttl = ttl;
    entry.at = at;
    entry.zone = mark.zone;
    std::memcpy(entry.rdata.data(), rdata.data(), rdata.size());
    ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    shard.entries.insert_or_assign(rrset, entry);
}

void ServedCache::forget(const RrsetKey& rrset) {
    ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    shard.entries.erase(rrset);
}

void ServedCache::clear() {
    shards_.for_each([](ServedShard& shard) {
        const base::MutexLock lock(shard.mutex);
        shard.entries.clear();
    });
}

}  // namespace sftdyn::update
