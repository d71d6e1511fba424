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

bool ServedCache::is_served(const RrsetKey& rrset, std::string_view rdata, base::TimePoint since,
                            std::optional<std::uint32_t> ttl) const {
    const ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    return found != shard.entries.end() && found->second.at >= since &&
           std::string_view(found->second.rdata.data(), found->second.size) == rdata &&
           (!ttl || rdata.empty() || found->second.ttl == *ttl);
}

std::optional<ServedCache::Known> ServedCache::take(const RrsetKey& rrset) {
    ServedShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    if (found == shard.entries.end()) return std::nullopt;
    Known out{std::string(found->second.rdata.data(), found->second.size), found->second.at,
              found->second.ttl};
    shard.entries.erase(found);
    return out;
}

void ServedCache::set(const RrsetKey& rrset, std::string_view rdata, base::TimePoint at,
                      std::uint32_t ttl) {
    if (rdata.size() > std::tuple_size_v<decltype(ServedEntry::rdata)>) return forget(rrset);
    ServedEntry entry{{}, static_cast<std::uint8_t>(rdata.size()), ttl, at};
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
