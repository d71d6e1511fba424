// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/auth_failure_limiter.hpp"

#include <algorithm>
#include <array>

namespace sftdyn::accounts {
namespace {

// Searching a full table takes a millisecond, which is too long for each guess.
constexpr auto sweep_interval = std::chrono::milliseconds(100);
constexpr auto say_interval = std::chrono::minutes(1);

struct Width {
    unsigned prefix;
    unsigned share;  ///< budget, as a multiple of that of a /64
};
constexpr std::array<Width, 3> ipv6_widths{{{64, 1}, {56, 4}, {48, 16}}};

}  // namespace

AuthFailureLimiter::Treatment AuthFailureLimiter::failed(const boost::asio::ip::address& client,
                                                         base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (burst_ == 0) return {};
    Buckets buckets = find_or_overflow(client, now);
    Treatment treatment = treatment_of(buckets, now);
    if (treatment.kind == FailureTreatmentKind::refuse) return treatment;
    if (has_overflow(buckets)) {
        treatment.counted = CountedAs::one_of_too_many;
        treatment.table_full = may_say_full(now);
    } else {
        treatment.counted = CountedAs::network;
        for (const Bucket& bucket : buckets) entries_.try_emplace(bucket.key);
        buckets = find(client);
    }
    for (const Bucket& bucket : buckets) {
        FailureEntry& entry = *bucket.entry;
        if (entry.full_at <= now) entry.said = false;
        const base::TokenRate rate = rate_of(bucket);
        entry.full_at = rate.take(entry.full_at, now);
        if (rate.wait(entry.full_at, now) > base::Duration::zero())
            treatment.kind = FailureTreatmentKind::delay;
    }
    return treatment;
}

AuthFailureLimiter::Treatment AuthFailureLimiter::look(const boost::asio::ip::address& client,
                                                       base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (burst_ == 0) return {};
    return treatment_of(find_or_overflow(client, now), now);
}

void AuthFailureLimiter::take_back(const boost::asio::ip::address& client, CountedAs counted,
                                   base::TimePoint now) {
    const base::MutexLock lock(mutex_);
    if (counted == CountedAs::nothing || burst_ == 0) return;
    Buckets buckets = find(client);
    if (counted == CountedAs::one_of_too_many) buckets.push_back({{}, 1, &overflow_});
    for (const Bucket& bucket : buckets)
        if (bucket.entry != nullptr)
            bucket.entry->full_at = rate_of(bucket).give_back(bucket.entry->full_at);
    for (const Bucket& bucket : buckets)
        if (bucket.entry != nullptr && bucket.entry != &overflow_ && bucket.entry->full_at <= now)
            entries_.erase(bucket.key);
}

/// The buckets in which a failure of `client` counts, the longest prefix first.
AuthFailureLimiter::Buckets AuthFailureLimiter::find(const boost::asio::ip::address& client) {
    const auto network = base::client_network(client);
    Buckets buckets;
    if (network.v6) {
        for (const Width& width : ipv6_widths)
            buckets.push_back(
                {{base::wider(network, width.prefix), width.prefix}, width.share, nullptr});
    } else {
        buckets.push_back({{network, 32}, 1, nullptr});
    }
    for (Bucket& bucket : buckets) {
        const auto found = entries_.find(bucket.key);
        if (found != entries_.end()) bucket.entry = &found->second;
    }
    return buckets;
}

/// The same, with the shared entry in place of those for which the table has no room.
AuthFailureLimiter::Buckets AuthFailureLimiter::find_or_overflow(
    const boost::asio::ip::address& client, base::TimePoint now) {
    Buckets buckets = find(client);
    const auto is_missing = [](const Bucket& bucket) { return bucket.entry == nullptr; };
    const auto missing = static_cast<std::size_t>(std::ranges::count_if(buckets, is_missing));
    if (missing == 0 || entries_.size() + missing <= most_networks) return buckets;
    if (make_room(missing, now)) return find(client);
    buckets.erase(std::remove_if(buckets.begin(), buckets.end(), is_missing), buckets.end());
    buckets.push_back({{}, 1, &overflow_});
    return buckets;
}

bool AuthFailureLimiter::has_overflow(const Buckets& buckets) const {
    return buckets.back().entry == &overflow_;
}

/// Called before the failure is counted: whether it exceeds a second budget.
AuthFailureLimiter::Treatment AuthFailureLimiter::treatment_of(const Buckets& buckets,
                                                               base::TimePoint now) {
    Treatment treatment;
    for (const Bucket& bucket : buckets)
        if (bucket.entry != nullptr && bucket.entry->full_at > now)
            treatment.forgotten_at = std::max(treatment.forgotten_at, bucket.entry->full_at);
    for (const Bucket& bucket : buckets) {
        if (bucket.entry == nullptr) continue;
        const base::TokenRate rate = rate_of(bucket);
        const auto wait = rate.wait(rate.take(bucket.entry->full_at, now), now, 2);
        if (wait <= wait.zero()) continue;
        treatment.kind = FailureTreatmentKind::refuse;
        treatment.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
        // No particular client has used up the shared budget.
        if (bucket.entry == &overflow_) {
            treatment.table_full = may_say_full(now);
        } else {
            treatment.first = !std::exchange(bucket.entry->said, true);
        }
        return treatment;
    }
    return treatment;
}

base::TokenRate AuthFailureLimiter::rate_of(const Bucket& bucket) const {
    return {burst_ * bucket.share, refill_ / bucket.share};
}

bool AuthFailureLimiter::may_say_full(base::TimePoint now) {
    if (now - full_said_ < say_interval) return false;
    full_said_ = now;
    return true;
}

/// Removes entries whose failures are all forgotten. False: there is no room, or the last search
/// was too recent.
bool AuthFailureLimiter::make_room(std::size_t entries, base::TimePoint now) {
    if (now - swept_ < sweep_interval) return false;
    swept_ = now;
    boost::unordered::erase_if(entries_,
                               [now](const auto& one) { return one.second.full_at <= now; });
    return entries_.size() + entries <= most_networks;
}

void AuthFailureLimiter::set(unsigned burst, base::Duration refill) {
    const base::MutexLock lock(mutex_);
    if (burst == burst_ && refill == refill_) return;
    burst_ = burst;
    refill_ = refill;
    entries_.clear();
    overflow_ = {};
}

std::size_t AuthFailureLimiter::size() const {
    const base::MutexLock lock(mutex_);
    return entries_.size();
}

}  // namespace sftdyn::accounts
