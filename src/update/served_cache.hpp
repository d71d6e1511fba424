// SPDX-License-Identifier: GPL-3.0-or-later
// The known served records, shared by all threads, and the numbers of hosts.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/sharded.hpp"
#include "base/string_interner.hpp"
#include "update/rrset_key.hpp"
#include "update/zone_stamp.hpp"

namespace sftdyn::update {

/// Numbers host names. A name keeps its number until the program ends, so that what is known about
/// a host survives a reload. Thread-safe.
class HostTable {
public:
    [[nodiscard]] HostId number(const dns::Name& name);
    /// The same for a name in wire format.
    [[nodiscard]] HostId number(std::string_view wire);
    /// The number of a name; absent: it has none.
    [[nodiscard]] std::optional<HostId> find(const dns::Name& name) const;
    [[nodiscard]] dns::Name name(HostId host) const;
    [[nodiscard]] std::size_t size() const;
    /// Reserves memory for `hosts` names of about `octets` octets in total.
    void reserve(std::size_t hosts, std::size_t octets);

private:
    mutable base::Mutex mutex_;
    base::StringInterner names_ GUARDED_BY(mutex_);  ///< in wire format
};

/// The record data that the authoritative server is known to serve, and when it was learned. Holds
/// an RRset only while none of its desired records is waiting, so an entry can't be outdated by our
/// own changes. Thread-safe.
class ServedCache {
public:
    /// A record is queried itself at least this often, whatever its zone's serial says: a zone may
    /// be changed without it, and a child zone may come to hold the host.
    static constexpr base::Duration longest_belief = std::chrono::minutes(5);

    /// A served state, and when it was learned.
    struct Known {
        std::string rdata;  ///< of the only record; empty: there is no record
        base::TimePoint at;
        std::uint32_t ttl = 0;  ///< of the record, in seconds
        SerialMark mark{};      ///< the epoch that it was learned in
    };

    /// The stamp of a further zone. It lives as long as this.
    [[nodiscard]] ZoneStamp& add_zone();

    /// True when exactly one record with `rdata` (and `ttl`, if given) was known to be served at
    /// `since` or later: because it was learned then, or because the serial of its zone was
    /// confirmed then. With empty `rdata`: when no record is served.
    [[nodiscard]] bool is_served(const RrsetKey& rrset, std::string_view rdata,
                                 base::TimePoint since,
                                 std::optional<std::uint32_t> ttl = std::nullopt) const;
    /// Removes and returns the entry. Until the next `set`, nothing is known about the RRset.
    [[nodiscard]] std::optional<Known> take(const RrsetKey& rrset);
    /// Stores `rdata` of up to 16 octets. Longer data is not stored, and the RRset's entry is
    /// removed.
    void set(const RrsetKey& rrset, std::string_view rdata, base::TimePoint at,
             std::uint32_t ttl = 0, SerialMark mark = {});
    void forget(const RrsetKey& rrset);
    /// Forgets everything: the servers may have changed.
    void clear();

private:
    struct ServedEntry {
        std::array<char, 16> rdata{};
        std::uint32_t size : 5 = 0;
        std::uint32_t epoch : ZoneStamp::epoch_bits = 0;
        std::uint32_t ttl = 0;
        base::TimePoint at{};
        const ZoneStamp* zone = nullptr;

        [[nodiscard]] std::string_view data() const { return {rdata.data(), size}; }
        [[nodiscard]] bool was_served(base::TimePoint since) const {
            return at >= since || (zone != nullptr && zone->confirms(epoch, since) &&
                                   at + longest_belief >= since);
        }
    };
    // There may be millions.
    static_assert(sizeof(ServedEntry) == 40);
    struct ServedShard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<RrsetKey, ServedEntry, std::hash<RrsetKey>> entries
            GUARDED_BY(mutex);
    };
    base::Sharded<ServedShard> shards_;  ///< by the host's number
    mutable base::Mutex zones_mutex_;
    std::deque<ZoneStamp> zones_ GUARDED_BY(zones_mutex_);
};

}  // namespace sftdyn::update
