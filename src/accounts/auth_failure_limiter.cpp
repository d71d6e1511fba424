// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/auth_failure_limiter.hpp"

#include "base/token_bucket.hpp"

namespace sftdyn::accounts {
namespace {

constexpr std::size_t most_clients = 1 << 16;
// Looking through a full table takes a millisecond: not for each guess.
constexpr auto sweep_interval = std::chrono::milliseconds(100);
constexpr auto say_interval = std::chrono::minutes(1);

}  // namespace

AuthFailureLimiter::Treatment AuthFailureLimiter::failed(const boost::asio::ip::address& client,
                                                         base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (burst_ == 0) return {};
    const auto network = base::client_network(client);
    auto found = clients_.find(network);
    if (found == clients_.end()) {
        if (clients_.size() >= most_clients && !make_room(now)) {
            Treatment treatment{FailureTreatmentKind::refuse, false,
                                std::chrono::ceil<std::chrono::seconds>(refill_)};
            treatment.table_full = now - full_said_ >= say_interval;
            if (treatment.table_full) full_said_ = now;
            return treatment;
        }
        found = clients_.try_emplace(network, FailureEntry{now, false}).first;
    }
    FailureEntry& entry = found->second;
    const bool clean = entry.full_at <= now;
    if (clean) entry = {now, false};
    const base::TokenRate rate{burst_, refill_};
    const base::TimePoint after = rate.take(entry.full_at, now);
    if (const auto wait = rate.wait(after, now, 2); wait > wait.zero())
        return refused(&entry, wait);
    entry.full_at = after;
    Treatment treatment{rate.wait(after, now) <= base::Duration(0) ? FailureTreatmentKind::answer
                                                                   : FailureTreatmentKind::delay};
    treatment.counted = true;
    treatment.clean = clean;
    return treatment;
}

AuthFailureLimiter::Treatment AuthFailureLimiter::look(const boost::asio::ip::address& client,
                                                       base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (burst_ == 0 || clients_.empty()) return {};
    const auto found = clients_.find(base::client_network(client));
    if (found == clients_.end()) return {};
    const base::TokenRate rate{burst_, refill_};
    const auto wait = rate.wait(rate.take(found->second.full_at, now), now, 2);
    if (wait > wait.zero()) return refused(&found->second, wait);
    return {};
}

AuthFailureLimiter::Treatment AuthFailureLimiter::refused(FailureEntry* entry,
                                                          base::Duration wait) {
    Treatment treatment{FailureTreatmentKind::refuse, !std::exchange(entry->said, true),
                        std::chrono::ceil<std::chrono::seconds>(wait)};
    treatment.clean = false;
    return treatment;
}

void AuthFailureLimiter::take_back(const boost::asio::ip::address& client, base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    const auto found = clients_.find(base::client_network(client));
    if (found == clients_.end()) return;
    found->second.full_at = base::TokenRate{burst_, refill_}.give_back(found->second.full_at);
    if (found->second.full_at <= now) clients_.erase(found);
}

/// Forgets who has been quiet. False: everybody is at it.
bool AuthFailureLimiter::make_room(base::TimePoint now) {
    if (now - swept_ < sweep_interval) return false;
    swept_ = now;
    boost::unordered::erase_if(clients_,
                               [now](const auto& one) { return one.second.full_at <= now; });
    return clients_.size() < most_clients;
}

void AuthFailureLimiter::set(unsigned burst, base::Duration refill) {
    const base::MutexLock lock(mutex_);
    if (burst == burst_ && refill == refill_) return;
    burst_ = burst;
    refill_ = refill;
    clients_.clear();
}

std::size_t AuthFailureLimiter::size() const {
    const base::MutexLock lock(mutex_);
    return clients_.size();
}

}  // namespace sftdyn::accounts
