// SPDX-License-Identifier: GPL-3.0-or-later
// What is remembered of hosts. It is what sftdyn was told and saw, never the truth about the DNS;
// no update depends on it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/mutex.hpp"
#include "base/sharded.hpp"
#include "telemetry/metrics.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// Of one host and family. Times are seconds since 1970; 0: never.
struct HostRecord {
    std::int64_t checked_in = 0;
    std::int64_t changed = 0;
    boost::asio::ip::address address{};  ///< the last that was confirmed; unspecified: none
    RequestOutcome outcome = RequestOutcome::ok;  ///< of the last check-in
    bool stale = false;
};

/// Why somebody may want to be told.
enum class HistoryEventKind { change, stale };

/// Something that somebody may want to be told of.
struct HistoryEvent {
    HistoryEventKind kind{};
    update::RrsetKey rrset{};
    HostRecord now{};
    boost::asio::ip::address before{};  ///< the address that it had
};

/// Who checked in when, from where, and with which outcome. Kept in memory; `Store` carries it over
/// restarts. Thread-safe.
class History {
public:
    using OnEvent = std::function<void(const HistoryEvent&)>;
    /// On whatever thread notes it.
    void on_event(OnEvent told) { told_ = std::move(told); }

    /// A check-in. `address` is what the host has, or would have; unspecified: none.
    void note(const update::RrsetKey& rrset, const boost::asio::ip::address& address,
              RequestOutcome outcome, std::int64_t now);

    /// What an earlier run remembered; what has been noted since stays.
    void restore(const update::RrsetKey& rrset, const HostRecord& record);

    /// Marks those that have not checked in since, and tells of each that was not marked before.
    void mark_stale(std::int64_t since);

    using Row = std::pair<update::RrsetKey, HostRecord>;
    [[nodiscard]] std::vector<Row> all() const;
    /// Those that have changed since they were last taken.
    [[nodiscard]] std::vector<Row> take_unsaved();
    [[nodiscard]] std::size_t stale_count() const;
    [[nodiscard]] bool knows(update::HostId host) const;

private:
    struct HistoryEntry {
        HostRecord record{};
        bool unsaved = false;
    };
    struct HistoryShard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<update::RrsetKey, HistoryEntry, std::hash<update::RrsetKey>>
            entries GUARDED_BY(mutex);
        std::vector<update::RrsetKey> unsaved GUARDED_BY(mutex);
    };
    static void touch(HistoryShard& shard, const update::RrsetKey& rrset, HistoryEntry& entry)
        REQUIRES(shard.mutex);

    base::Sharded<HistoryShard> shards_;  ///< by the host's number
    OnEvent told_{};
};

}  // namespace sftdyn::telemetry
