// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/host_history.hpp"

#include <algorithm>

namespace sftdyn::telemetry {
namespace {

update::Target target_of(std::uint64_t packed) {
    return {static_cast<update::HostId>(packed >> 16), static_cast<dns::Type>(packed & 0xffff)};
}

}  // namespace

void History::touch(Shard& shard, const update::Target& target, Entry& entry) {
    if (!std::exchange(entry.unsaved, true)) shard.unsaved.push_back(target);
}

void History::note(const update::Target& target, const boost::asio::ip::address& address,
                   Outcome outcome, std::int64_t now) {
    Shard& shard = shards_[target.host % shard_count];
    Event event{Event::Kind::change, target, {}, {}};
    {
        const base::MutexLock lock(shard.mutex);
        Entry& entry = shard.entries[target.packed()];
        HostRecord& record = entry.record;
        record.checked_in = now;
        record.outcome = outcome;
        record.stale = false;
        touch(shard, target, entry);
        event.before = record.address;
        if (outcome == Outcome::ok || outcome == Outcome::uptodate) record.address = address;
        if (outcome != Outcome::ok) return;
        record.changed = now;
        event.now = record;
    }
    if (told_) told_(event);
}

void History::restore(const update::Target& target, const HostRecord& record) {
    Shard& shard = shards_[target.host % shard_count];
    const base::MutexLock lock(shard.mutex);
    shard.entries.try_emplace(target.packed(), Entry{record, false});
}

void History::mark_stale(std::int64_t since) {
    for (Shard& shard : shards_) {
        std::vector<Event> events;
        {
            const base::MutexLock lock(shard.mutex);
            for (auto& [packed, entry] : shard.entries) {
                if (entry.record.stale || entry.record.checked_in > since) continue;
                entry.record.stale = true;
                touch(shard, target_of(packed), entry);
                events.push_back(
                    {Event::Kind::stale, target_of(packed), entry.record, entry.record.address});
            }
        }
        if (!told_) continue;
        for (const Event& event : events) told_(event);
    }
}

std::vector<History::Row> History::all() const {
    std::vector<Row> out;
    for (const Shard& shard : shards_) {
        const base::MutexLock lock(shard.mutex);
        for (const auto& [packed, entry] : shard.entries)
            out.emplace_back(target_of(packed), entry.record);
    }
    return out;
}

std::vector<History::Row> History::take_unsaved() {
    std::vector<Row> out;
    for (Shard& shard : shards_) {
        const base::MutexLock lock(shard.mutex);
        for (const update::Target& target : shard.unsaved) {
            Entry& entry = shard.entries[target.packed()];
            entry.unsaved = false;
            out.emplace_back(target, entry.record);
        }
        shard.unsaved.clear();
    }
    return out;
}

std::size_t History::stale_count() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
        const base::MutexLock lock(shard.mutex);
        count += static_cast<std::size_t>(
            std::count_if(shard.entries.begin(), shard.entries.end(),
                          [](const auto& entry) { return entry.second.record.stale; }));
    }
    return count;
}

bool History::knows(update::HostId host) const {
    const Shard& shard = shards_[host % shard_count];
    const base::MutexLock lock(shard.mutex);
    return shard.entries.contains(update::Target{host, dns::Type::a}.packed()) ||
           shard.entries.contains(update::Target{host, dns::Type::aaaa}.packed());
}

}  // namespace sftdyn::telemetry
