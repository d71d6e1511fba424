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

bool ServedCache::is_served(const Target& target, std::string_view rdata,
                            base::TimePoint since) const {
    const Shard& shard = this->shard(target);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(target.packed());
    return found != shard.entries.end() && found->second.at >= since &&
           std::string_view(found->second.rdata.data(), found->second.size) == rdata;
}

std::optional<ServedCache::Known> ServedCache::take(const Target& target) {
    Shard& shard = this->shard(target);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(target.packed());
    if (found == shard.entries.end()) return std::nullopt;
    Known out{std::string(found->second.rdata.data(), found->second.size), found->second.at};
    shard.entries.erase(found);
    return out;
}

void ServedCache::set(const Target& target, std::string_view rdata, base::TimePoint at) {
    if (rdata.size() > std::tuple_size_v<decltype(Entry::rdata)>) return forget(target);
    Entry entry{{}, static_cast<std::uint8_t>(rdata.size()), at};
    std::memcpy(entry.rdata.data(), rdata.data(), rdata.size());
    Shard& shard = this->shard(target);
    const base::MutexLock lock(shard.mutex);
    shard.entries.insert_or_assign(target.packed(), entry);
}

void ServedCache::forget(const Target& target) {
    Shard& shard = this->shard(target);
    const base::MutexLock lock(shard.mutex);
    shard.entries.erase(target.packed());
}

void ServedCache::clear() {
    for (Shard& shard : shards_) {
        const base::MutexLock lock(shard.mutex);
        shard.entries.clear();
    }
}

}  // namespace sftdyn::update
