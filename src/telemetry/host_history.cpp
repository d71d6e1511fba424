// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/host_history.hpp"

#include <algorithm>

namespace sftdyn::telemetry {
void History::touch(HistoryShard& shard, const update::RrsetKey& rrset, HistoryEntry& entry) {
    if (!std::exchange(entry.unsaved, true)) shard.unsaved.push_back(rrset);
}

void History::note(const update::RrsetKey& rrset, const boost::asio::ip::address& address,
                   RequestOutcome outcome, std::int64_t now) {
    HistoryShard& shard = shards_.of(rrset.host);
    HistoryEvent event{HistoryEventKind::change, rrset, {}, {}};
    {
        const base::MutexLock lock(shard.mutex);
        HistoryEntry& entry = shard.entries[rrset];
        HostRecord& record = entry.record;
        record.checked_in = now;
        record.outcome = outcome;
        record.stale = false;
        touch(shard, rrset, entry);
        event.before = record.address;
        if (outcome == RequestOutcome::ok || outcome == RequestOutcome::uptodate)
            record.address = address;
        if (outcome != RequestOutcome::ok) return;
        record.changed = now;
        event.now = record;
    }
    if (told_) told_(event);
}

void History::restore(const update::RrsetKey& rrset, const HostRecord& record) {
    HistoryShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    shard.entries.try_emplace(rrset, HistoryEntry{record, false});
}

void History::mark_stale(std::int64_t since) {
    shards_.for_each([&](HistoryShard& shard) {
        std::vector<HistoryEvent> events;
        {
            const base::MutexLock lock(shard.mutex);
            for (auto& [rrset, entry] : shard.entries) {
                if (entry.record.stale || entry.record.checked_in > since) continue;
                entry.record.stale = true;
                touch(shard, rrset, entry);
                events.push_back(
                    {HistoryEventKind::stale, rrset, entry.record, entry.record.address});
            }
        }
        if (!told_) return;
        for (const HistoryEvent& event : events) told_(event);
    });
}

std::vector<History::Row> History::all() const {
    std::vector<Row> out;
    shards_.for_each([&](const HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        for (const auto& [rrset, entry] : shard.entries) out.emplace_back(rrset, entry.record);
    });
    return out;
}

std::vector<History::Row> History::take_unsaved() {
    std::vector<Row> out;
    shards_.for_each([&](HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        for (const update::RrsetKey& rrset : shard.unsaved) {
            HistoryEntry& entry = shard.entries[rrset];
            entry.unsaved = false;
            out.emplace_back(rrset, entry.record);
        }
        shard.unsaved.clear();
    });
    return out;
}

std::size_t History::stale_count() const {
    std::size_t count = 0;
    shards_.for_each([&](const HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        count += static_cast<std::size_t>(
            std::count_if(shard.entries.begin(), shard.entries.end(),
                          [](const auto& entry) { return entry.second.record.stale; }));
    });
    return count;
}

bool History::knows(update::HostId host) const {
    const HistoryShard& shard = shards_.of(host);
    const base::MutexLock lock(shard.mutex);
    return shard.entries.contains(update::RrsetKey{host, dns::Type::a}) ||
           shard.entries.contains(update::RrsetKey{host, dns::Type::aaaa});
}

}  // namespace sftdyn::telemetry
