// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/change_rate_limiter.hpp"

#include "base/token_bucket.hpp"

namespace sftdyn::update {

std::optional<base::Duration> ChangeRateLimiter::spend(HostId host, base::TimePoint now) {
    if (burst_ == 0) return std::nullopt;
    const auto found = full_at_.find(host);
    const base::TokenRate rate{burst_, refill_};
    const base::TimePoint after = rate.take(found == full_at_.end() ? now : found->second, now);
    if (const auto wait = rate.wait(after, now); wait > wait.zero()) return wait;
    full_at_.insert_or_assign(host, after);
    return std::nullopt;
}

void ChangeRateLimiter::refund(HostId host, base::TimePoint now) {
    const auto found = full_at_.find(host);
    if (found == full_at_.end()) return;
    found->second = base::TokenRate{burst_, refill_}.give_back(found->second);
    if (found->second <= now) full_at_.erase(found);
}

void ChangeRateLimiter::sweep(base::TimePoint now) {
    boost::unordered::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
}

void ChangeRateLimiter::set(unsigned burst, base::Duration refill) {
    if (burst == burst_ && refill == refill_) return;
    burst_ = burst;
    refill_ = refill;
    full_at_.clear();
}

}  // namespace sftdyn::update
