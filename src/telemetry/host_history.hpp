// SPDX-License-Identifier: GPL-3.0-or-later
// What is remembered of hosts. It is what sftdyn was told and saw, never the truth about the DNS;
// no update depends on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/mutex.hpp"
#include "base/sharded.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/stale_times.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// Of one host and family. Times are seconds since 1970; 0: never.
struct HostRecord {
    std::int64_t checked_in = 0;
    std::int64_t changed = 0;
    boost::asio::ip::address address{};  ///< the last that was confirmed; unspecified: none
    RequestOutcome outcome = RequestOutcome::ok;  ///< of the last check-in
    bool stale_told = false;  ///< whoever is to be told that the host is stale has been

    /// The address was removed: no check-in is expected.
    [[nodiscard]] bool is_gone() const {
        return address.is_unspecified() &&
               (outcome == RequestOutcome::ok || outcome == RequestOutcome::uptodate);
    }
};

/// Why somebody may want to be told.
enum class HistoryEventKind {
    change,
    stale,
    failure,  ///< after a check-in that did not fail; `now` has the address that was wanted
};

[[nodiscard]] const char* text_of(HistoryEventKind kind);

/// Something that somebody may want to be told of.
struct HistoryEvent {
    HistoryEventKind kind{};
    update::RrsetKey rrset{};
    HostRecord now{};
    boost::asio::ip::address before{};  ///< the address that it had
};

/// Who checked in when, from where, and with which outcome. Kept in memory; `Store` carries it over
/// restarts. Thread-safe.
///
/// A host that nobody has any more is forgotten: it is in no count and no list, and if it comes
/// back it is as one that never checked in.
///
/// A host is stale since a time when none of its records has checked in after it; so are those of
/// its records that are not gone, and with none left it is not stale.
class History {
public:
    static constexpr std::int64_t never = StaleSince::never;

    using OnEvent = std::function<void(const HistoryEvent&)>;
    /// On whatever thread notes it.
    void on_event(OnEvent told) { told_ = std::move(told); }

    /// From now on these are all the hosts that there are; others are forgotten. Until it is called
    /// whoever checks in is a host.
    void keep_only(const std::vector<update::HostId>& hosts);
    /// Whoever checks in is a host.
    void keep_all();
    /// As if the host had never checked in. False: it has not.
    bool forget(update::HostId host);

    /// A check-in. `address` is what the host has, or would have; unspecified: none.
    void note(const update::RrsetKey& rrset, const boost::asio::ip::address& address,
              RequestOutcome outcome, std::int64_t now);

    /// What an earlier run remembered; what has been noted since stays.
    void restore(const update::RrsetKey& rrset, const HostRecord& record);

    /// Tells of each record that is stale, unless it was told of, or is being, since it became so.
    void tell_stale(const StaleSince& since);
    /// Whoever is to be told of it has been: it is told once, over restarts too. `checked_in` is
    /// the event's.
    void stale_was_told(const update::RrsetKey& rrset, std::int64_t checked_in);

    using Row = std::pair<update::RrsetKey, HostRecord>;
    [[nodiscard]] std::vector<Row> all() const;
    /// What has changed since it was last taken.
    struct Unsaved {
        std::vector<update::RrsetKey> forgotten{};  ///< before there were `rows`
        std::vector<Row> rows{};
        [[nodiscard]] bool empty() const { return forgotten.empty() && rows.empty(); }
    };
    [[nodiscard]] Unsaved take_unsaved();
    [[nodiscard]] bool is_stale(const update::RrsetKey& rrset, const StaleSince& since) const;
    /// Hosts.
    [[nodiscard]] std::size_t stale_count(const StaleSince& since) const;
    [[nodiscard]] bool knows(update::HostId host) const;

private:
    struct HistoryEntry {
        HostRecord record{};
        bool unsaved = false;
        bool telling = false;  ///< that it is stale was told of, and nobody has been told yet
    };
    struct HistoryShard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<update::RrsetKey, HistoryEntry, std::hash<update::RrsetKey>>
            entries GUARDED_BY(mutex);
        std::vector<update::RrsetKey> unsaved GUARDED_BY(mutex);
        std::vector<update::RrsetKey> forgotten GUARDED_BY(mutex);  ///< not saved yet
        /// By the host's number: whether it is one; null: all are.
        std::shared_ptr<const std::vector<bool>> hosts GUARDED_BY(mutex);

        [[nodiscard]] bool is_host(update::HostId host) const REQUIRES(mutex) {
            return hosts == nullptr || (host < hosts->size() && (*hosts)[host]);
        }
    };
    void set_hosts(const std::shared_ptr<const std::vector<bool>>& hosts);
    static void touch(HistoryShard& shard, const update::RrsetKey& rrset, HistoryEntry& entry)
        REQUIRES(shard.mutex);
    /// Of the host's records, the first that is stale; null: none is.
    [[nodiscard]] static const update::RrsetKey* first_stale(const HistoryShard& shard,
                                                             update::HostId host,
                                                             const StaleSince& since)
        REQUIRES(shard.mutex);
    [[nodiscard]] static bool is_stale(const HistoryShard& shard, const update::RrsetKey& rrset,
                                       const HistoryEntry& entry, const StaleSince& since)
        REQUIRES(shard.mutex) {
        return !entry.record.is_gone() && first_stale(shard, rrset.host, since) != nullptr;
    }

    base::Sharded<HistoryShard> shards_;  ///< by the host's number
    OnEvent told_{};
};

}  // namespace sftdyn::telemetry
