// SPDX-License-Identifier: GPL-3.0-or-later
// Token buckets, each kept as one time (GCRA): when it is full again. It is empty when that is a
// burst's worth of refills ahead.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace sftdyn::base {

/// What all buckets of a kind have in common.
struct TokenRate {
    unsigned burst = 0;  ///< tokens of a full bucket
    Duration refill{};   ///< one more token each

    /// When the bucket is full, after one more token was taken.
    [[nodiscard]] TimePoint take(TimePoint full_at, TimePoint now) const {
        return std::max(full_at, now) + refill;
    }
    /// … after one was put back. It is full if that is not later than now.
    [[nodiscard]] TimePoint give_back(TimePoint full_at) const { return full_at - refill; }
    /// How long until as little is taken as `bursts` full buckets have; not above 0: it is so now.
    [[nodiscard]] Duration wait(TimePoint full_at, TimePoint now, unsigned bursts = 1) const {
        return full_at - now - bursts * burst * refill;
    }
};

}  // namespace sftdyn::base
