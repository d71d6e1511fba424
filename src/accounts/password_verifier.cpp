// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/password_verifier.hpp"

#include <algorithm>
#include <utility>

namespace sftdyn::accounts {

bool Verifier::add(Verification job) {
    const base::MutexLock lock(mutex_);
    if (stopping_ || !has_room(job)) return false;
    (job.clean ? clean_ : others_).push_back(std::move(job));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    wake_.notify_one();
    return true;
}

bool Verifier::has_room(const Verification& job) const {
    if (clean_.size() + others_.size() >= most) return false;
    std::size_t of_user = 0, of_network = 0;
    const auto count = [&](const Verification& other) {
        of_user += other.user == job.user ? 1 : 0;
        of_network += other.network == job.network ? 1 : 0;
    };
    std::for_each(clean_.begin(), clean_.end(), count);
    std::for_each(others_.begin(), others_.end(), count);
    if (current_ != nullptr) count(*current_);
    return of_user < most_of_user && of_network < most_of_network;
}

void Verifier::run() {
    const base::MutexLock lock(mutex_);
    for (;;) {
        wake_.wait(mutex_, [this]() REQUIRES(mutex_) {
            return stopping_ || !clean_.empty() || !others_.empty();
        });
        if (stopping_) return;
        auto& queue = clean_.empty() ? others_ : clean_;
        const Verification job = std::move(queue.front());
        queue.pop_front();
        current_ = &job;
        {
            const base::MutexUnlock unlocked(mutex_);
            job.work();
        }
        current_ = nullptr;
    }
}

void Verifier::stop() {
    {
        const base::MutexLock lock(mutex_);
        stopping_ = true;
        clean_.clear();
        others_.clear();
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

}  // namespace sftdyn::accounts
