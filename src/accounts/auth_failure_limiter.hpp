// SPDX-License-Identifier: GPL-3.0-or-later
// Limits how often a client network may fail with wrong credentials.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/container/static_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/network.hpp"
#include "base/token_bucket.hpp"

namespace sftdyn::accounts {

/// How the response to a failure is treated.
enum class FailureTreatmentKind { answer, delay, refuse };

/// Counts failures per client network. Beyond a budget, failures are answered late; beyond a second
/// budget, they are refused. Correct keys are not limited: a key is looked up at once, so that its
/// owner does not suffer from a neighbour behind the same address. Passwords, which people choose,
/// are not even checked beyond the second budget. Thread-safe.
///
/// A client with a shorter IPv6 prefix can use many /64 networks. Failures therefore count for the
/// enclosing /56 and /48 too, whose budgets are 4 and 16 times as large.
///
/// Networks for which the table has no room share one entry, so that they have no advantage.
class AuthFailureLimiter {
public:
    /// The first `burst` failures are answered at once, as many again late. One failure is
    /// forgotten each `refill`. A burst of 0 disables the limiter.
    AuthFailureLimiter(unsigned burst, base::Duration refill) : burst_(burst), refill_(refill) {}

    /// Where a failure was counted.
    enum class CountedAs : std::uint8_t { nothing, network, one_of_too_many };

    /// How a failure is answered, and what to log about it.
    struct Treatment {
        FailureTreatmentKind kind = FailureTreatmentKind::answer;
        bool first = false;  ///< with `refuse`: the first since the client's budget was full
        std::chrono::seconds retry_after{};  ///< with `refuse`
        CountedAs counted = CountedAs::nothing;
        /// The table has no room for the client, and this was not logged in the last minute.
        bool table_full = false;
        /// When the earlier failures of all the client's networks are forgotten. The epoch: there
        /// were none.
        base::TimePoint forgotten_at{};
    };

    /// Counts a failure of `client`.
    [[nodiscard]] Treatment failed(const boost::asio::ip::address& client, base::TimePoint now);
    /// The treatment of one more failure, without counting it: `refuse` beyond the second budget,
    /// else `answer`.
    [[nodiscard]] Treatment look(const boost::asio::ip::address& client, base::TimePoint now);
    /// Takes back a failure that was counted in advance and did not happen.
    void take_back(const boost::asio::ip::address& client, CountedAs counted, base::TimePoint now);

    void set(unsigned burst, base::Duration refill);
    /// The number of networks in the table, of all prefix lengths; at most `most_networks`.
    [[nodiscard]] std::size_t size() const;

    static constexpr std::size_t most_networks = 1 << 16;

private:
    /// A network and its prefix length.
    struct FailureKey {
        base::ClientNetwork network{};
        unsigned prefix = 0;
        friend bool operator==(const FailureKey&, const FailureKey&) = default;
        friend std::size_t hash_value(const FailureKey& key) noexcept {
            return hash_value(key.network) + key.prefix;
        }
    };
    struct FailureEntry {
        base::TimePoint full_at{};  ///< when all failures are forgotten (GCRA)
        bool said = false;
    };
    /// A bucket in which a failure counts.
    struct Bucket {
        FailureKey key{};
        unsigned share = 1;             ///< its budget, as a multiple of a single one
        FailureEntry* entry = nullptr;  ///< null: not in the table
    };
    using Buckets = boost::container::static_vector<Bucket, 4>;  ///< never empty

    [[nodiscard]] Buckets find(const boost::asio::ip::address& client) REQUIRES(mutex_);
    [[nodiscard]] Buckets find_or_overflow(const boost::asio::ip::address& client,
                                           base::TimePoint now) REQUIRES(mutex_);
    [[nodiscard]] bool has_overflow(const Buckets& buckets) const REQUIRES(mutex_);
    [[nodiscard]] Treatment treatment_of(const Buckets& buckets, base::TimePoint now)
        REQUIRES(mutex_);
    [[nodiscard]] base::TokenRate rate_of(const Bucket& bucket) const REQUIRES(mutex_);
    [[nodiscard]] bool may_say_full(base::TimePoint now) REQUIRES(mutex_);
    [[nodiscard]] bool make_room(std::size_t entries, base::TimePoint now) REQUIRES(mutex_);

    mutable base::Mutex mutex_;
    unsigned burst_ GUARDED_BY(mutex_);
    base::Duration refill_ GUARDED_BY(mutex_);
    /// When forgotten entries were last removed from the table.
    base::TimePoint swept_ GUARDED_BY(mutex_){};
    /// When a full table was last logged.
    base::TimePoint full_said_ GUARDED_BY(mutex_){};
    boost::unordered::unordered_flat_map<FailureKey, FailureEntry> entries_ GUARDED_BY(mutex_);
    FailureEntry overflow_ GUARDED_BY(mutex_);  ///< shared by networks without an entry
};

}  // namespace sftdyn::accounts
