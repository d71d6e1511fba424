// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of the served state, shared by all threads, and the numbering of hosts.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/sharded.hpp"
#include "base/string_interner.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::update {

/// Numbers host names. A name keeps its number for good, so that what is known of a host survives a
/// reload.
class HostTable {
public:
    [[nodiscard]] HostId number(const dns::Name& name);
    /// As above, for a name in wire form.
    [[nodiscard]] HostId number(std::string_view wire);
    /// The number of a name that has one.
    [[nodiscard]] std::optional<HostId> find(const dns::Name& name) const;
    [[nodiscard]] dns::Name name(HostId host) const;
    [[nodiscard]] std::size_t size() const;
    /// Prepares for `hosts` names of about `octets` octets in all.
    void reserve(std::size_t hosts, std::size_t octets);

private:
    mutable base::Mutex mutex_;
    base::StringInterner names_ GUARDED_BY(mutex_);  ///< in wire form
};

/// The record data that the authoritative server is known to serve, and since when it is known. It
/// holds an RRset only while no desired record of it is at work: what it says can't be
/// invalidated.
class ServedCache {
public:
    /// A served state, and when it was known.
    struct Known {
        std::string rdata;  ///< of the one record; empty: there is none
        base::TimePoint at;
        std::uint32_t ttl = 0;  ///< of the record, in seconds
    };

    /// True when exactly one record with `rdata` is known to be served, from `since` or later, with
    /// `ttl` if that is given; with empty `rdata`, when none is.
    [[nodiscard]] bool is_served(const RrsetKey& rrset, std::string_view rdata,
                                 base::TimePoint since,
                                 std::optional<std::uint32_t> ttl = std::nullopt) const;
    /// Takes what is known out of the table: nobody is told of it until it is set again.
    [[nodiscard]] std::optional<Known> take(const RrsetKey& rrset);
    /// `rdata` of up to 16 octets is kept; of longer data nothing is known afterwards.
    void set(const RrsetKey& rrset, std::string_view rdata, base::TimePoint at,
             std::uint32_t ttl = 0);
    void forget(const RrsetKey& rrset);
    /// Forgets all: the servers may have changed.
    void clear();

private:
    struct ServedEntry {
        std::array<char, 16> rdata{};
        std::uint8_t size = 0;
        std::uint32_t ttl = 0;
        base::TimePoint at;
    };
    struct ServedShard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<RrsetKey, ServedEntry, std::hash<RrsetKey>> entries
            GUARDED_BY(mutex);
    };
    base::Sharded<ServedShard> shards_;  ///< by the host's number
};

}  // namespace sftdyn::update
