// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/password_verifier.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "base/thread.hpp"

namespace sftdyn::accounts {
namespace {

using Verification = Verifier::Verification;

bool has_guessed(const Verification& job) { return job.forgotten_at != base::TimePoint(); }

bool is_same_network(const Verification& a, const Verification& b) {
    return a.network == b.network;
}
bool is_same_home(const Verification& a, const Verification& b) {
    return base::wider(a.network, 56) == base::wider(b.network, 56);
}
bool is_same_company(const Verification& a, const Verification& b) {
    return base::wider(a.network, 48) == base::wider(b.network, 48);
}
bool is_other_guess_at_user(const Verification& a, const Verification& b) {
    return has_guessed(a) && has_guessed(b) && a.user == b.user;
}
bool is_any(const Verification& /*a*/, const Verification& /*b*/) { return true; }

/// Whether `a` is verified before `b`, regardless of their arrival.
bool precedes(const Verification& a, const Verification& b) {
    if (a.is_familiar != b.is_familiar) return a.is_familiar;
    return a.forgotten_at < b.forgotten_at;
}

}  // namespace

/// Limits the number of jobs of a kind, for example those of one network.
struct Verifier::Bound {
    bool (*is_like)(const Verification&, const Verification&);
    std::size_t most;
    bool with_current;      ///< the job that is being verified counts too
    bool is_between_users;  ///< among equal jobs, one of the user with the most is displaced
};

Verifier::Place Verifier::add(Verification job) {
    std::optional<Waiting> displaced;
    {
        const base::MutexLock lock(mutex_);
        if (stopping_) return Place::none;
        join_same_attempt(job);
        displaced = make_room(job);
        if (!displaced) return Place::none;
        waiting_.push_back(std::move(job));
        if (!start()) {
            waiting_.pop_back();
            return Place::no_thread;
        }
        wake_.notify_one();
    }
    for (const Verification& one : *displaced) one.displaced();
    return Place::taken;
}

bool Verifier::start() {
    if (thread_.joinable()) return true;
    auto thread = base::start_thread([this] { run(); });
    if (!thread) return false;
    thread_ = std::move(*thread);
    return true;
}

void Verifier::join_same_attempt(Verification& job) const {
    const auto join = [&job](const Verification& other) {
        if (other.attempt != job.attempt || other.network != job.network) return;
        job.is_familiar = job.is_familiar || other.is_familiar;
        job.forgotten_at = std::min(job.forgotten_at, other.forgotten_at);
    };
    for (const Verification& other : waiting_) join(other);
    if (current_ != nullptr) join(*current_);
}

/// Removes and returns the jobs that `job` displaces, possibly none; `nullopt` when there is no
/// room for `job`.
std::optional<Verifier::Waiting> Verifier::make_room(const Verification& job) {
    static constexpr std::array<Bound, 5> bounds{{
        {is_same_network, most_of_network, true, false},
        {is_same_home, most_of_home, true, false},
        {is_same_company, most_of_company, true, false},
        {is_other_guess_at_user, most_of_user, false, false},
        {is_any, most, false, true},
    }};
    std::vector<bool> is_displaced(waiting_.size());
    for (const Bound& bound : bounds) {
        std::size_t count =
            bound.with_current && current_ != nullptr && bound.is_like(*current_, job) ? 1 : 0;
        for (std::size_t i = 0; i < waiting_.size(); ++i)
            count += !is_displaced[i] && bound.is_like(waiting_[i], job) ? 1 : 0;
        if (count < bound.most) continue;
        const auto last = last_of(bound, job, is_displaced);
        if (!last) return std::nullopt;
        is_displaced[*last] = true;
    }
    Waiting displaced;
    displaced.reserve(bounds.size());
    for (std::size_t i = waiting_.size(); i-- > 0;) {
        if (!is_displaced[i]) continue;
        displaced.push_back(std::move(waiting_[i]));
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return displaced;
}

/// The job that `job` displaces, among those that `bound` counts with it: the last in order, and of
/// equal ones the oldest of the user with the most; `nullopt` when none gives way.
std::optional<std::size_t> Verifier::last_of(const Bound& bound, const Verification& job,
                                             const std::vector<bool>& is_displaced) const {
    std::map<std::string_view, std::size_t> of_user{{job.user, 1}};
    for (const Verification& one : waiting_) ++of_user[one.user];
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (is_displaced[i] || !bound.is_like(waiting_[i], job)) continue;
        const bool is_equal = last && !precedes(waiting_[*last], waiting_[i]) &&
                              !precedes(waiting_[i], waiting_[*last]);
        if (!last || precedes(waiting_[*last], waiting_[i]) ||
            (is_equal && of_user[waiting_[i].user] > of_user[waiting_[*last].user]))
            last = i;
    }
    if (!last || precedes(waiting_[*last], job)) return std::nullopt;
    const bool has_fewer = of_user[job.user] < of_user[waiting_[*last].user];
    if (precedes(job, waiting_[*last]) || (bound.is_between_users && has_fewer)) return last;
    return std::nullopt;
}

Verifier::Verification Verifier::take_next() {
    auto next = waiting_.begin();
    for (auto it = next; it != waiting_.end(); ++it)
        if (!precedes(*next, *it)) next = it;
    Verification job = std::move(*next);
    waiting_.erase(next);
    return job;
}

void Verifier::run() {
    const base::MutexLock lock(mutex_);
    for (;;) {
        wake_.wait(mutex_, [this]() REQUIRES(mutex_) { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        const Verification job = take_next();
        current_ = &job;
        {
            const base::MutexUnlock unlocked(mutex_);
            base::survive_no_memory(job.work);
        }
        current_ = nullptr;
    }
}

void Verifier::stop() {
    {
        const base::MutexLock lock(mutex_);
        stopping_ = true;
        waiting_.clear();
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sftdyn::accounts
