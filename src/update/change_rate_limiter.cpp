// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/change_rate_limiter.hpp"

namespace sftdyn::update {

std::optional<base::Duration> ChangeRateLimiter::spend(HostId host, base::TimePoint now) {
    const base::TokenRate rate = rates_.of(host);
    if (rate.burst == 0) return std::nullopt;
    const auto found = full_at_.find(host);
    const base::TimePoint after = rate.take(found == full_at_.end() ? now : found->second, now);
    if (const auto wait = rate.wait(after, now); wait > wait.zero()) return wait;
    full_at_.insert_or_assign(host, after);
    return std::nullopt;
}

void ChangeRateLimiter::refund(HostId host, base::TimePoint now) {
    const auto found = full_at_.find(host);
    if (found == full_at_.end()) return;
    found->second = rates_.of(host).give_back(found->second);
    if (found->second <= now) full_at_.erase(found);
}

void ChangeRateLimiter::sweep(base::TimePoint now) {
    boost::unordered::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
}

void ChangeRateLimiter::set(ChangeRates rates) {
    boost::unordered::erase_if(full_at_, [&](const auto& entry) {
        return !(rates.of(entry.first) == rates_.of(entry.first));
    });
    rates_ = std::move(rates);
}

}  // namespace sftdyn::update
