// SPDX-License-Identifier: GPL-3.0-or-later
// Token buckets by the generic cell rate algorithm (GCRA): a bucket is stored as the time when it
// is full again. It is empty when that time is one burst of refills ahead. Times are capped at the
// clock's maximum: a burst of a million tokens, at one a day, is as good as no limit.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace sftdyn::base {

/// The parameters that all buckets of a kind share.
struct TokenRate {
    unsigned burst = 0;  ///< tokens of a full bucket
    Duration refill{};   ///< time for one token
    friend bool operator==(const TokenRate&, const TokenRate&) = default;

    /// The time when the bucket is full, after one more token is taken.
    [[nodiscard]] TimePoint take(TimePoint full_at, TimePoint now) const {
        const TimePoint begin = std::max(full_at, now);
        return begin < TimePoint::max() - refill ? begin + refill : TimePoint::max();
    }
    /// The same after one token is put back. The bucket is full if that is not later than now.
    [[nodiscard]] TimePoint give_back(TimePoint full_at) const { return full_at - refill; }
    /// How long until no more is taken than `bursts` full buckets hold; zero or less when that is
    /// so now.
    [[nodiscard]] Duration wait(TimePoint full_at, TimePoint now, unsigned bursts = 1) const {
        const std::int64_t tokens = std::int64_t{bursts} * burst;
        if (tokens != 0 && refill > Duration::max() / 4 / tokens) return Duration::zero();
        return full_at - now - tokens * refill;
    }
};

}  // namespace sftdyn::base
