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

/// What is done with the answer to a failure.
enum class FailureTreatmentKind { answer, delay, refuse };

/// Counts failures for each client network: past a budget they are answered late, past a second one
/// refused. Whether a key is right is not asked here: it is found at once, and its owner does not
/// pay for a neighbour behind the same address. Passwords, which people choose, are not even looked
/// at past the second budget. Thread-safe.
///
/// An IPv6 network of 64 bits costs whoever has a wider one nothing. So failures count for the
/// networks of 56 and of 48 bits too that it is in, which have 4 and 16 times its budgets.
///
/// Networks that find no place in the table share one entry: they are no better off than those that
/// are remembered.
class AuthFailureLimiter {
public:
    /// `burst` failures at once are answered as they come, as many again late; one more is
    /// forgotten each `refill`. A burst of 0: nobody is ever refused.
    AuthFailureLimiter(unsigned burst, base::Duration refill) : burst_(burst), refill_(refill) {}

    /// Where a failure was counted.
    enum class CountedAs : std::uint8_t { nothing, network, one_of_too_many };

    /// How a failure is answered, and what the log is to say of it.
    struct Treatment {
        FailureTreatmentKind kind = FailureTreatmentKind::answer;
        bool first = false;  ///< with `refuse`: the first of this client since its budget was full
        std::chrono::seconds retry_after{};  ///< with `refuse`
        CountedAs counted = CountedAs::nothing;
        /// There is no place for the client, and that was not said in the last minute.
        bool table_full = false;
        /// When what was counted before is forgotten, at the latest of the client's networks. The
        /// epoch: nothing was.
        base::TimePoint forgotten_at{};
    };

    /// One more failure of `client`.
    [[nodiscard]] Treatment failed(const boost::asio::ip::address& client, base::TimePoint now);
    /// What one more failure would be, without counting it: `refuse` past the second budget, else
    /// `answer`.
    [[nodiscard]] Treatment look(const boost::asio::ip::address& client, base::TimePoint now);
    /// A failure that was counted before it was known to be one, and is none.
    void take_back(const boost::asio::ip::address& client, CountedAs counted, base::TimePoint now);

    void set(unsigned burst, base::Duration refill);
    /// Networks that are remembered, of all widths: at most `most_networks`.
    [[nodiscard]] std::size_t size() const;

    static constexpr std::size_t most_networks = 1 << 16;

private:
    /// A network of one width.
    struct FailureKey {
        base::ClientNetwork network{};
        unsigned prefix = 0;
        friend bool operator==(const FailureKey&, const FailureKey&) = default;
        friend std::size_t hash_value(const FailureKey& key) noexcept {
            return hash_value(key.network) + key.prefix;
        }
    };
    struct FailureEntry {
        base::TimePoint full_at{};  ///< when all is forgotten (GCRA)
        bool said = false;
    };
    /// One of the buckets that a failure counts in.
    struct Bucket {
        FailureKey key{};
        unsigned share = 1;             ///< budgets that it has
        FailureEntry* entry = nullptr;  ///< null: there is none yet
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
    /// When what is forgotten was last looked for.
    base::TimePoint swept_ GUARDED_BY(mutex_){};
    /// When a full table was last told of.
    base::TimePoint full_said_ GUARDED_BY(mutex_){};
    boost::unordered::unordered_flat_map<FailureKey, FailureEntry> entries_ GUARDED_BY(mutex_);
    FailureEntry overflow_ GUARDED_BY(mutex_);  ///< of all that find no place
};

}  // namespace sftdyn::accounts
