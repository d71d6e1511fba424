// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/token_bucket.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn::base;

namespace {

TEST(TokenBucket, ABurstAtOnceAndOneMoreEachRefill) {
    const TokenRate rate{3, 10s};
    TimePoint now{1h}, full_at{};
    for (int i = 0; i < 3; ++i) {
        full_at = rate.take(full_at, now);
        EXPECT_LE(rate.wait(full_at, now), 0s);
    }
    EXPECT_EQ(rate.wait(rate.take(full_at, now), now), 10s);
    EXPECT_EQ(rate.wait(rate.take(full_at, now + 4s), now + 4s), 6s);
    EXPECT_LE(rate.wait(rate.take(full_at, now + 10s), now + 10s), 0s);
    EXPECT_LE(rate.wait(rate.take(full_at, now), now, 2), 0s) << "of two bursts";
    EXPECT_LE(rate.wait(rate.take(rate.give_back(full_at), now), now), 0s);
    EXPECT_EQ(rate.take(full_at, now + 1h), now + 1h + 10s) << "it holds no more than a burst";
}

TEST(TokenBucket, WhatNoTimeCanHoldIsNoLimit) {
    const TokenRate rate{1'000'000, 24h};
    const TimePoint now{1h};
    TimePoint full_at{};
    for (int i = 0; i < 200'000; ++i) {
        full_at = rate.take(full_at, now);
        ASSERT_LE(rate.wait(full_at, now), 0s) << i;
        ASSERT_LE(rate.wait(full_at, now, 2), 0s) << i;
    }
    EXPECT_EQ(full_at, TimePoint::max());
}

}  // namespace
