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

/// Verifies passwords one at a time: each takes about 50 ms and 19 MiB by design. Owned by
/// `server::Authenticator`; its thread runs from the first job to `stop`. Thread-safe.
///
/// An attacker who guesses must not keep others waiting, so the queue is ordered. Familiar users
/// come first. Next come networks that sent no wrong credentials, and then the others, in the order
/// in which theirs are forgotten. Among equals the latest arrival comes first, since the clients of
/// earlier ones may have given up. The queue is bounded in total, per client network and per IPv6
/// site (both include the job that is being verified), and per user for networks that sent wrong
/// credentials. At a bound, a new job displaces the last one within the bound if it precedes that
/// one.
class Verifier {
public:
    /// One password to verify: its origin, which determines order and bounds, and the work itself.
    struct Verification {
        base::ClientNetwork network{};
        std::string user{};
        bool is_familiar = false;  ///< the password was correct before, from the same network
        /// When the network's last wrong credential is forgotten. The epoch: it sent none.
        base::TimePoint forgotten_at{};
        /// Equal for the same user and password. A client that repeats an attempt while it waits is
        /// not guessing, and gets the order of the first attempt.
        base::KeyedHash::Digest attempt{};
        std::function<void()> work{};       ///< runs on the verifier's thread
        std::function<void()> displaced{};  ///< in place of `work`, on a thread that calls `add`
    };

    Verifier() = default;
    /// Waits for the job that is being verified, and drops the others.
    ~Verifier() { stop(); }
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    enum class Place : std::uint8_t {
        taken,
        none,      ///< too many jobs that precede it are waiting
        no_thread  ///< the system can't start a thread
    };
    /// Called on any thread. The first call starts the verifier's thread, so it should come after
    /// the process has entered the sandbox.
    [[nodiscard]] Place add(Verification job);
    void stop();

    /// Maximum number of waiting jobs: more could not be served before their clients give up.
    static constexpr std::size_t most = 200;
    /// For one user, from networks that sent wrong credentials.
    static constexpr std::size_t most_of_user = 20;
    /// For one network, including the job that is being verified.
    static constexpr std::size_t most_of_network = 4;
    /// The same for an IPv6 /56, which a home is usually given, and for a /48, which a company is.
    static constexpr std::size_t most_of_home = 8;
    static constexpr std::size_t most_of_company = 16;

private:
    using Waiting = std::vector<Verification>;  ///< in order of arrival
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
    std::thread thread_;  ///< started with the mutex held; joined by `stop`
};

}  // namespace sftdyn::accounts
