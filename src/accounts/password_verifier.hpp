// SPDX-License-Identifier: GPL-3.0-or-later
// Verifies hashed passwords on a thread of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/keyed_hash.hpp"
#include "base/mutex.hpp"
#include "base/network.hpp"

namespace sftdyn::accounts {

/// Verifies one password after the other: each takes some 50 ms and 19 MiB by design. Owned by
/// `server::Authenticator`; its thread lives from the first job to `stop`. Thread-safe.
///
/// Whoever guesses must not keep others waiting. So what waits has an order: who is familiar, then
/// whose wrong credentials are forgotten soonest, which are first of all those who sent none, then
/// who came last, since the others' clients may have given up. And it has bounds: in all, for each
/// client network, whose next one is only taken when it has an answer, for each IPv6 site, and, of
/// those who sent wrong credentials, for each user. Where a bound is reached, one that comes before
/// the last of those takes its place.
class Verifier {
public:
    /// One password to verify: whose it is, for order and bounds, and the work itself.
    struct Verification {
        base::ClientNetwork network{};
        std::string user{};
        bool is_familiar = false;  ///< it was right before, from the same network
        /// When the last wrong credential of its network is forgotten. The epoch: it sent none.
        base::TimePoint forgotten_at{};
        /// The same for the same user and password: a client that sends it again while it waits
        /// has guessed nothing, and comes with the first.
        base::KeyedHash::Digest attempt{};
        std::function<void()> work{};       ///< runs on the verifier's thread
        std::function<void()> displaced{};  ///< in place of `work`, on a thread that calls `add`
    };

    Verifier() = default;
    /// Waits for the one that is being verified; the others are dropped.
    ~Verifier() { stop(); }
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    enum class Place : std::uint8_t {
        taken,
        none,      ///< too many wait already that come before it
        no_thread  ///< the system gives none
    };
    /// On any thread; the first call makes the verifier's, which should be after the process has
    /// entered the sandbox.
    [[nodiscard]] Place add(Verification job);
    void stop();

    /// That wait: more could not be served within a client's patience.
    static constexpr std::size_t most = 200;
    /// Of one user, from networks that sent wrong credentials.
    static constexpr std::size_t most_of_user = 20;
    /// Of one network, with the one that is being verified.
    static constexpr std::size_t most_of_network = 4;
    /// The same of an IPv6 network of 56 bits, which is what a home gets, and of 48, a company.
    static constexpr std::size_t most_of_home = 8;
    static constexpr std::size_t most_of_company = 16;

private:
    using Waiting = std::vector<Verification>;  ///< in the order of their arrival
    struct Bound;

    [[nodiscard]] bool start() REQUIRES(mutex_);
    void run();
    void join_same_attempt(Verification& job) const REQUIRES(mutex_);
    [[nodiscard]] std::optional<Waiting> make_room(const Verification& job) REQUIRES(mutex_);
    [[nodiscard]] std::optional<std::size_t> last_of(const Bound& bound, const Verification& job,
                                                     const std::vector<bool>& is_displaced) const
        REQUIRES(mutex_);
    [[nodiscard]] Verification take_next() REQUIRES(mutex_);

    base::Mutex mutex_;
    base::Condition wake_;
    Waiting waiting_ GUARDED_BY(mutex_);
    const Verification* current_ GUARDED_BY(mutex_) = nullptr;  ///< being verified
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread thread_;  ///< begun with the mutex held; ended by `stop`
};

}  // namespace sftdyn::accounts
