// SPDX-License-Identifier: GPL-3.0-or-later
// Limits how often a client network may fail with wrong credentials.
#pragma once

#include <chrono>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/network.hpp"

namespace sftdyn::accounts {

/// What is done with the answer to a failure.
enum class FailureTreatmentKind { answer, delay, refuse };

/// Counts failures for each client network: past a budget they are answered late, past a second one
/// refused. Whether a key is right is not asked here: it is found at once, and its owner does not
/// pay for a neighbour behind the same address. Passwords, which people choose, are not even looked
/// at past the second budget. Thread-safe.
class AuthFailureLimiter {
public:
    /// `burst` failures at once are answered as they come, as many again late; one more is
    /// forgotten each `refill`. A burst of 0: nobody is ever refused.
    AuthFailureLimiter(unsigned burst, base::Duration refill) : burst_(burst), refill_(refill) {}

    /// How a failure is answered, and what the log is to say of it.
    struct Treatment {
        FailureTreatmentKind kind = FailureTreatmentKind::answer;
        bool first = false;  ///< with `refuse`: the first of this client since its budget was full
        std::chrono::seconds retry_after{};  ///< with `refuse`
        bool counted = false;                ///< as a failure of the client
        bool table_full =
            false;          ///< refused because nobody else can be remembered; set once a minute
        bool clean = true;  ///< nothing was counted for the client before
    };

    /// One more failure of `client`.
    [[nodiscard]] Treatment failed(const boost::asio::ip::address& client, base::TimePoint now);
    /// What one more failure would be, without counting it: `refuse` past the second budget, else
    /// `answer`.
    [[nodiscard]] Treatment look(const boost::asio::ip::address& client, base::TimePoint now);
    /// A failure that was counted before it was known to be one, and is none.
    void take_back(const boost::asio::ip::address& client, base::TimePoint now);

    void set(unsigned burst, base::Duration refill);
    /// Clients that are remembered: at most 2^16. When all of them are at it, nobody else is let
    /// guess.
    [[nodiscard]] std::size_t size() const;

private:
    struct FailureEntry {
        base::TimePoint full_at;  ///< when all is forgotten (GCRA)
        bool said = false;
    };
    [[nodiscard]] bool make_room(base::TimePoint now) REQUIRES(mutex_);
    [[nodiscard]] Treatment refused(FailureEntry* entry, base::Duration wait) REQUIRES(mutex_);

    mutable base::Mutex mutex_;
    unsigned burst_ GUARDED_BY(mutex_);
    base::Duration refill_ GUARDED_BY(mutex_);
    /// When what is forgotten was last looked for.
    base::TimePoint swept_ GUARDED_BY(mutex_){};
    /// When a full table was last told of.
    base::TimePoint full_said_ GUARDED_BY(mutex_){};
    boost::unordered::unordered_flat_map<base::ClientNetwork, FailureEntry> clients_
        GUARDED_BY(mutex_);
};

}  // namespace sftdyn::accounts
