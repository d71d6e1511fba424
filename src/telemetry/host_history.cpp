// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/host_history.hpp"

#include <new>
#include <utility>

#include "base/thread.hpp"

namespace sftdyn::telemetry {

const char* text_of(HistoryEventKind kind) {
    switch (kind) {
        case HistoryEventKind::change:
            return "change";
        case HistoryEventKind::stale:
            return "stale";
        case HistoryEventKind::failure:
            return "failure";
    }
    return "?";
}

void History::touch(HistoryShard& shard, const update::RrsetKey& rrset, HistoryEntry& entry) {
    if (entry.unsaved) return;
    shard.unsaved.push_back(rrset);
    entry.unsaved = true;
}

void History::note(const update::RrsetKey& rrset, const boost::asio::ip::address& address,
                   RequestOutcome outcome, std::int64_t now) {
    HistoryShard& shard = shards_.of(rrset.host);
    HistoryEvent event{HistoryEventKind::change, rrset, {}, {}};
    {
        const base::MutexLock lock(shard.mutex);
        // A request in progress when its host is removed is still reported, but leaves no record.
        HistoryEntry passing;
        const bool is_kept = shard.is_host(rrset.host);
        HistoryEntry& entry = is_kept ? shard.entries[rrset] : passing;
        HostRecord& record = entry.record;
        const bool fails_now =
            outcome == RequestOutcome::fail && record.outcome != RequestOutcome::fail;
        record.checked_in = now;
        record.outcome = outcome;
        record.stale_told = false;
        entry.telling = false;
        if (is_kept) touch(shard, rrset, entry);
        event.before = record.address;
        if (outcome == RequestOutcome::ok || outcome == RequestOutcome::uptodate)
            record.address = address;
        if (fails_now) {
            event.kind = HistoryEventKind::failure;
            event.now = record;
            event.now.address = address;
        } else if (outcome == RequestOutcome::ok) {
            record.changed = now;
            event.now = record;
        } else {
            return;
        }
    }
    if (told_) told_(event);
}

void History::restore(const update::RrsetKey& rrset, const HostRecord& record) {
    HistoryShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    if (shard.is_host(rrset.host))
        shard.entries.try_emplace(rrset, HistoryEntry{record});
    else
        shard.forgotten.insert(rrset);
}

void History::keep_only(const std::vector<update::HostId>& hosts) {
    auto all = std::make_shared<std::vector<bool>>();
    for (const update::HostId host : hosts) {
        if (host >= all->size()) all->resize(host + 1);
        (*all)[host] = true;
    }
    set_hosts(all);
}

void History::keep_all() { set_hosts(nullptr); }

void History::set_hosts(const std::shared_ptr<const std::vector<bool>>& hosts) {
    shards_.for_each([&](HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        shard.hosts = hosts;
        for (auto entry = shard.entries.begin(); entry != shard.entries.end();) {
            const auto it = entry++;
            if (shard.is_host(it->first.host)) continue;
            shard.forgotten.insert(it->first);
            shard.entries.erase(it);
        }
    });
}

bool History::forget(update::HostId host) {
    HistoryShard& shard = shards_.of(host);
    const base::MutexLock lock(shard.mutex);
    bool was_there = false;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        const update::RrsetKey rrset{host, type};
        if (shard.entries.erase(rrset) == 0) continue;
        shard.forgotten.insert(rrset);
        was_there = true;
    }
    return was_there;
}

const update::RrsetKey* History::first_stale(const HistoryShard& shard, update::HostId host,
                                             const StaleSince& since) {
    const std::int64_t since_then = since.of(host);
    const update::RrsetKey* first = nullptr;
    for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        const auto found = shard.entries.find(update::RrsetKey{host, type});
        if (found == shard.entries.end()) continue;
        if (found->second.record.checked_in > since_then) return nullptr;
        if (first == nullptr && !found->second.record.is_gone()) first = &found->first;
    }
    return first;
}

void History::tell_stale(const StaleSince& since) {
    shards_.for_each([&](HistoryShard& shard) {
        std::vector<HistoryEvent> events;
        {
            const base::MutexLock lock(shard.mutex);
            for (auto& [rrset, entry] : shard.entries) {
                if (!is_stale(shard, rrset, entry, since)) {
                    entry.telling = false;
                    if (std::exchange(entry.record.stale_told, false)) touch(shard, rrset, entry);
                    continue;
                }
                if (entry.record.stale_told || std::exchange(entry.telling, true)) continue;
                events.push_back(
                    {HistoryEventKind::stale, rrset, entry.record, entry.record.address});
            }
        }
        if (!told_) return;
        for (const HistoryEvent& event : events) told_(event);
    });
}

void History::stale_was_told(const update::RrsetKey& rrset, std::int64_t checked_in) {
    HistoryShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    if (found == shard.entries.end()) return;
    HistoryEntry& entry = found->second;
    // The host may have checked in since.
    if (entry.record.checked_in != checked_in || !std::exchange(entry.telling, false)) return;
    entry.record.stale_told = true;
    touch(shard, rrset, entry);
}

std::vector<History::Row> History::all() const {
    std::vector<Row> out;
    shards_.for_each([&](const HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        for (const auto& [rrset, entry] : shard.entries) out.emplace_back(rrset, entry.record);
    });
    return out;
}

History::Unsaved History::take_unsaved() {
    Unsaved out;
    try {
        shards_.for_each([&](HistoryShard& shard) {
            const base::MutexLock lock(shard.mutex);
            // From here on there is memory for all of the shard's.
            out.rows.reserve(out.rows.size() + shard.unsaved.size());
            out.forgotten.reserve(out.forgotten.size() + shard.forgotten.size());
            for (const update::RrsetKey& rrset : shard.unsaved) {
                // It may have been forgotten meanwhile, and be there anew.
                const auto found = shard.entries.find(rrset);
                if (found == shard.entries.end() || !std::exchange(found->second.unsaved, false))
                    continue;
                out.rows.emplace_back(rrset, found->second.record);
            }
            shard.unsaved.clear();
            out.forgotten.insert(out.forgotten.end(), shard.forgotten.begin(),
                                 shard.forgotten.end());
            shard.forgotten.clear();
        });
    } catch (const std::bad_alloc&) {
        not_saved(out);
        throw;
    }
    return out;
}

void History::not_saved(const Unsaved& unsaved) noexcept {
    for (const Row& row : unsaved.rows) {
        HistoryShard& shard = shards_.of(row.first.host);
        const base::MutexLock lock(shard.mutex);
        const auto found = shard.entries.find(row.first);
        if (found == shard.entries.end()) continue;
        // Without memory it is saved with its next check-in.
        try {
            touch(shard, row.first, found->second);
        } catch (const std::bad_alloc&) {
            base::say_no_memory();
        }
    }
    for (const update::RrsetKey& rrset : unsaved.forgotten) {
        HistoryShard& shard = shards_.of(rrset.host);
        const base::MutexLock lock(shard.mutex);
        try {
            shard.forgotten.insert(rrset);
        } catch (const std::bad_alloc&) {
            base::say_no_memory();
        }
    }
}

bool History::is_stale(const update::RrsetKey& rrset, const StaleSince& since) const {
    const HistoryShard& shard = shards_.of(rrset.host);
    const base::MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(rrset);
    return found != shard.entries.end() && is_stale(shard, rrset, found->second, since);
}

std::size_t History::stale_count(const StaleSince& since) const {
    std::size_t count = 0;
    shards_.for_each([&](const HistoryShard& shard) {
        const base::MutexLock lock(shard.mutex);
        for (const auto& [rrset, entry] : shard.entries) {
            const auto* first = first_stale(shard, rrset.host, since);
            count += first != nullptr && *first == rrset ? 1 : 0;
        }
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
