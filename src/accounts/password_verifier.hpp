// SPDX-License-Identifier: GPL-3.0-or-later
// Verifies hashed passwords on a thread of its own.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "base/network.hpp"

namespace sftdyn::accounts {

/// Verifies one password after the other: each takes some 20 ms and 19 MiB by design. Owned by
/// `server::Authenticator`; its thread lives from the first job to `stop`.
///
/// Whoever guesses must not keep others waiting, so what waits has bounds: in all, for each user,
/// and for each client network, whose next one is only taken when it has an answer. Networks
/// without a wrong credential go first.
class Verifier {
public:
    /// One password to verify: whose it is, for the bounds, and the work itself.
    struct Verification {
        base::ClientNetwork network{};
        std::string user{};
        bool clean = false;            ///< its network has guessed nothing lately
        std::function<void()> work{};  ///< runs on the verifier's thread
    };

    Verifier() = default;
    /// Waits for the one that is being verified; the others are dropped.
    ~Verifier() { stop(); }
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    /// False: too many wait already. On any thread; the first call makes the verifier's, which
    /// should be after the process has entered the sandbox.
    [[nodiscard]] bool add(Verification job);
    void stop();

    static constexpr std::size_t most =
        200;  ///< that wait: more could not be served within a client's patience
    static constexpr std::size_t most_of_user = 20;  ///< and of one user
    static constexpr std::size_t most_of_network =
        4;  ///< and of one network, with the one that is being verified

private:
    void run();
    [[nodiscard]] bool has_room(const Verification& job) const REQUIRES(mutex_);

    base::Mutex mutex_;
    base::Condition wake_;
    std::deque<Verification> clean_ GUARDED_BY(mutex_), others_ GUARDED_BY(mutex_);
    const Verification* current_ GUARDED_BY(mutex_) = nullptr;  ///< being verified
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread thread_;  ///< begun with the mutex held; ended by `stop`
};

}  // namespace sftdyn::accounts
