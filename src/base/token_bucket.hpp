// SPDX-License-Identifier: GPL-3.0-or-later
// Token buckets, each kept as one time (GCRA): when it is full again. It is empty when that is a
// burst's worth of refills ahead. What a time can't hold is taken as the longest: a burst of a
// million tokens, one a day, is as good as no limit.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace sftdyn::base {

/// What all buckets of a kind have in common.
struct TokenRate {
    unsigned burst = 0;  ///< tokens of a full bucket
    Duration refill{};   ///< one more token each
    friend bool operator==(const TokenRate&, const TokenRate&) = default;

    /// When the bucket is full, after one more token was taken.
    [[nodiscard]] TimePoint take(TimePoint full_at, TimePoint now) const {
        const TimePoint begin = std::max(full_at, now);
        return begin < TimePoint::max() - refill ? begin + refill : TimePoint::max();
    }
    /// … after one was put back. It is full if that is not later than now.
    [[nodiscard]] TimePoint give_back(TimePoint full_at) const { return full_at - refill; }
    /// How long until as little is taken as `bursts` full buckets have; not above 0: it is so now.
    [[nodiscard]] Duration wait(TimePoint full_at, TimePoint now, unsigned bursts = 1) const {
        const std::int64_t tokens = std::int64_t{bursts} * burst;
        if (tokens != 0 && refill > Duration::max() / 4 / tokens) return Duration::zero();
        return full_at - now - tokens * refill;
    }
};

}  // namespace sftdyn::base
