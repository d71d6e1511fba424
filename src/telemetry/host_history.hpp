// SPDX-License-Identifier: GPL-3.0-or-later
// What is remembered of hosts. It is what sftdyn was told and saw, never the truth about the DNS;
// no update depends on it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/mutex.hpp"
#include "telemetry/metrics.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// Of one host and family. Times are seconds since 1970; 0: never.
struct HostRecord {
    std::int64_t checked_in = 0;
    std::int64_t changed = 0;
    boost::asio::ip::address address{};  ///< the last that was confirmed; unspecified: none
    Outcome outcome = Outcome::ok;       ///< of the last check-in
    bool stale = false;
};

/// Who checked in when, from where, and with which outcome. Kept in memory; `Store` carries it over
/// restarts. Thread-safe.
class History {
public:
    /// Something that somebody may want to be told of.
    struct Event {
        enum class Kind { change, stale } kind{};
        update::Target target{};
        HostRecord now{};
        boost::asio::ip::address before{};  ///< the address that it had
    };
    using OnEvent = std::function<void(const Event&)>;
    /// On whatever thread notes it.
    void on_event(OnEvent told) { told_ = std::move(told); }

    /// A check-in. `address` is what the host has, or would have; unspecified: none.
    void note(const update::Target& target, const boost::asio::ip::address& address,
              Outcome outcome, std::int64_t now);

    /// What an earlier run remembered; what has been noted since stays.
    void restore(const update::Target& target, const HostRecord& record);

    /// Marks those that have not checked in since, and tells of each that was not marked before.
    void mark_stale(std::int64_t since);

    using Row = std::pair<update::Target, HostRecord>;
    [[nodiscard]] std::vector<Row> all() const;
    /// Those that have changed since they were last taken.
    [[nodiscard]] std::vector<Row> take_unsaved();
    [[nodiscard]] std::size_t stale_count() const;
    [[nodiscard]] bool knows(update::HostId host) const;

private:
    struct Entry {
        HostRecord record{};
        bool unsaved = false;
    };
    struct Hash {
        std::size_t operator()(std::uint64_t packed) const {
            return static_cast<std::size_t>(packed * 0x9e3779b97f4a7c15U);
        }
    };
    struct alignas(64) Shard {
        mutable base::Mutex mutex;
        boost::unordered_flat_map<std::uint64_t, Entry, Hash> entries GUARDED_BY(mutex);
        std::vector<update::Target> unsaved GUARDED_BY(mutex);
    };
    static constexpr std::size_t shard_count = 64;
    static void touch(Shard& shard, const update::Target& target, Entry& entry)
        REQUIRES(shard.mutex);

    std::array<Shard, shard_count> shards_;
    OnEvent told_{};
};

}  // namespace sftdyn::telemetry
