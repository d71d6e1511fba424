// SPDX-License-Identifier: GPL-3.0-or-later
// The history of hosts: what clients reported, and how sftdyn answered. It does not describe the
// DNS, and no update depends on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/mutex.hpp"
#include "base/sharded.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/stale_times.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// The history of one host and address family. Times are seconds since 1970; 0: never.
struct HostRecord {
    std::int64_t checked_in = 0;
    std::int64_t changed = 0;
    boost::asio::ip::address address{};           ///< the last confirmed one; unspecified: none
    RequestOutcome outcome = RequestOutcome::ok;  ///< of the last check-in
    bool stale_told = false;                      ///< it was reported that the host is stale

    /// Whether the address was removed, so that no check-in is expected.
    [[nodiscard]] bool is_gone() const {
        return address.is_unspecified() &&
               (outcome == RequestOutcome::ok || outcome == RequestOutcome::uptodate);
    }
};

/// The kinds of events that can be reported.
enum class HistoryEventKind {
    change,
    stale,
    failure,  ///< after a check-in that did not fail; `now` has the requested address
};

[[nodiscard]] const char* text_of(HistoryEventKind kind);

/// An event that can be reported.
struct HistoryEvent {
    HistoryEventKind kind{};
    update::RrsetKey rrset{};
    HostRecord now{};
    boost::asio::ip::address before{};  ///< the previous address
};

/// When each host checked in, with which address and outcome. Kept in memory; `Store` saves it
/// across restarts. Thread-safe.
///
/// A host that is no longer configured is forgotten: it is in no count and no list. If it returns,
/// it is like a host that never checked in.
///
/// A host is stale since a given time if none of its records has checked in after it, and at least
/// one of them is not gone. The records that are not gone are then stale too.
class History {
public:
    static constexpr std::int64_t never = StaleSince::never;

    using OnEvent = std::function<void(const HistoryEvent&)>;
    /// `told` is called on the thread that causes the event.
    void on_event(OnEvent told) { told_ = std::move(told); }

    /// Restricts the history to these hosts, and forgets all others. Initially every host that
    /// checks in is kept.
    void keep_only(const std::vector<update::HostId>& hosts);
    /// Removes that restriction.
    void keep_all();
    /// Forgets the host, as if it had never checked in. False: it has no record.
    bool forget(update::HostId host);

    /// Records a check-in. `address` is the host's address, or the requested one; unspecified:
    /// none.
    void note(const update::RrsetKey& rrset, const boost::asio::ip::address& address,
              RequestOutcome outcome, std::int64_t now);

    /// Adds a record of an earlier run. A record that was noted since is kept.
    void restore(const update::RrsetKey& rrset, const HostRecord& record);

    /// Reports each stale record, unless that was done since it became stale, or is being done.
    void tell_stale(const StaleSince& since);
    /// Confirms that a stale record was reported, so that it is reported only once, across restarts
    /// too. `checked_in` is the event's.
    void stale_was_told(const update::RrsetKey& rrset, std::int64_t checked_in);

    using Row = std::pair<update::RrsetKey, HostRecord>;
    [[nodiscard]] std::vector<Row> all() const;
    /// The changes since the last `take_unsaved`.
    struct Unsaved {
        std::vector<update::RrsetKey> forgotten{};  ///< forgotten before `rows` were recorded
        std::vector<Row> rows{};
        [[nodiscard]] bool empty() const { return forgotten.empty() && rows.empty(); }
    };
    [[nodiscard]] Unsaved take_unsaved();
    /// Returns what could not be saved: the next `take_unsaved` has it, once, with its state of
    /// then.
    void not_saved(const Unsaved& unsaved) noexcept;
    [[nodiscard]] bool is_stale(const update::RrsetKey& rrset, const StaleSince& since) const;
    /// The number of stale hosts.
    [[nodiscard]] std::size_t stale_count(const StaleSince& since) const;
    [[nodiscard]] bool knows(update::HostId host) const;

private:
    struct HistoryEntry {
        HostRecord record{};
        bool unsaved = false;
        bool telling = false;  ///< a report that it is stale is under way
    };
    struct HistoryShard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<update::RrsetKey, HistoryEntry, std::hash<update::RrsetKey>>
            entries GUARDED_BY(mutex);
        std::vector<update::RrsetKey> unsaved GUARDED_BY(mutex);
        boost::unordered_flat_set<update::RrsetKey, std::hash<update::RrsetKey>> forgotten
            GUARDED_BY(mutex);  ///< not saved yet
        /// Whether a host is kept, by its number; null: all are.
        std::shared_ptr<const std::vector<bool>> hosts GUARDED_BY(mutex);

        [[nodiscard]] bool is_host(update::HostId host) const REQUIRES(mutex) {
            return hosts == nullptr || (host < hosts->size() && (*hosts)[host]);
        }
    };
    void set_hosts(const std::shared_ptr<const std::vector<bool>>& hosts);
    static void touch(HistoryShard& shard, const update::RrsetKey& rrset, HistoryEntry& entry)
        REQUIRES(shard.mutex);
    /// The first stale record of the host; null when there is none.
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
