// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/change_rate_limiter.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using sftdyn::base::TimePoint;
using sftdyn::update::ChangeRateLimiter;

TEST(ChangeRateLimiter, BurstThenOneEachRefill) {
    ChangeRateLimiter budgets({{3, 30s}, {}});
    const TimePoint start{1h};
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(budgets.spend(1, start));
    EXPECT_EQ(budgets.spend(1, start).value(), 30s);
    EXPECT_EQ(budgets.spend(1, start + 10s).value(), 20s);
    EXPECT_FALSE(budgets.spend(1, start + 30s));
    EXPECT_EQ(budgets.spend(1, start + 30s).value(), 30s);
    EXPECT_FALSE(budgets.spend(2, start));
}

TEST(ChangeRateLimiter, FullAgainAfterARest) {
    ChangeRateLimiter budgets({{3, 30s}, {}});
    const TimePoint start{1h};
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(budgets.spend(1, start));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(budgets.spend(1, start + 90s));
    EXPECT_TRUE(budgets.spend(1, start + 90s));
}

TEST(ChangeRateLimiter, RefundGivesBack) {
    ChangeRateLimiter budgets({{1, 30s}, {}});
    const TimePoint start{1h};
    EXPECT_FALSE(budgets.spend(1, start));
    budgets.refund(1, start);
    EXPECT_FALSE(budgets.spend(1, start));
    EXPECT_TRUE(budgets.spend(1, start));
}

TEST(ChangeRateLimiter, ZeroIsNoLimit) {
    ChangeRateLimiter budgets({{0, 30s}, {}});
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(budgets.spend(1, TimePoint{1h}));
    EXPECT_EQ(budgets.size(), 0U);
}

TEST(ChangeRateLimiter, SweepForgetsTheFull) {
    ChangeRateLimiter budgets({{3, 30s}, {}});
    const TimePoint start{1h};
    for (unsigned host = 0; host < 100; ++host) EXPECT_FALSE(budgets.spend(host, start));
    budgets.sweep(start + 29s);
    EXPECT_EQ(budgets.size(), 100U);
    budgets.sweep(start + 30s);
    EXPECT_EQ(budgets.size(), 0U);
}

TEST(ChangeRateLimiter, AHostMayHaveARateOfItsOwn) {
    using Own = boost::unordered_flat_map<sftdyn::update::HostId, sftdyn::base::TokenRate>;
    const auto own = std::make_shared<const Own>(Own{{1, {2, 60s}}, {2, {0, 30s}}});
    ChangeRateLimiter budgets({{1, 30s}, own});
    const TimePoint start{1h};
    EXPECT_FALSE(budgets.spend(1, start));
    EXPECT_FALSE(budgets.spend(1, start));
    EXPECT_EQ(budgets.spend(1, start).value(), 60s) << "its own burst, and its own refill";
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(budgets.spend(2, start)) << "it has no limit";
    EXPECT_FALSE(budgets.spend(3, start));
    EXPECT_EQ(budgets.spend(3, start).value(), 30s) << "the usual one";

    budgets.set({{1, 30s}, std::make_shared<const Own>(Own{{1, {3, 60s}}})});
    EXPECT_FALSE(budgets.spend(1, start)) << "another rate begins with a full budget";
    EXPECT_TRUE(budgets.spend(3, start)) << "and the same goes on";
    EXPECT_FALSE(budgets.spend(2, start));
    EXPECT_TRUE(budgets.spend(2, start)) << "it has the usual one now";
}
