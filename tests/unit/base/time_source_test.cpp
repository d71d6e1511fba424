// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/time_source.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

class SystemTimeTest : public testing::Test {
protected:
    void run() {
        io.restart();
        io.run();
    }

    boost::asio::io_context io;
    TimeSourcePtr time = system_time(io);
    const TimePoint past{};
    unsigned calls = 0;
    const Timer::Expired count = [this] { ++calls; };
};

TEST_F(SystemTimeTest, ItIsTheSteadyClock) {
    const TimePoint before = Clock::now();
    const TimePoint now = time->now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, Clock::now());
}

TEST_F(SystemTimeTest, ATimerCallsOnceAndNotFromWithin) {
    const auto timer = time->timer();
    timer->set(past, count);
    EXPECT_EQ(calls, 0U);
    run();
    EXPECT_EQ(calls, 1U);
    run();
    EXPECT_EQ(calls, 1U);
}

TEST_F(SystemTimeTest, ATimerDoesNotCallBeforeItsTime) {
    const auto timer = time->timer();
    const TimePoint at = time->now() + std::chrono::milliseconds(5);
    timer->set(at, [&] {
        ++calls;
        EXPECT_GE(time->now(), at);
    });
    run();
    EXPECT_EQ(calls, 1U);
}

TEST_F(SystemTimeTest, WhatWasSetBeforeIsDropped) {
    const auto timer = time->timer();
    timer->set(past, [] { FAIL() << "it was set anew"; });
    timer->set(past, count);
    run();
    EXPECT_EQ(calls, 1U);
}

TEST_F(SystemTimeTest, WhatIsCancelledOrGoneCallsNobody) {
    const auto cancelled = time->timer();
    cancelled->set(past, count);
    cancelled->cancel();
    time->timer()->set(past, count);
    run();
    EXPECT_EQ(calls, 0U);
}

TEST_F(SystemTimeTest, OneThatHasExpiredTogetherWithAnotherCanBeDroppedByIt) {
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 6; ++i) timers.push_back(time->timer());
    // Whichever comes first drops the others, in each of the three ways.
    const auto drop_all = [&] {
        ++calls;
        for (std::size_t i = 0; i < timers.size(); ++i) {
            if (i % 3 == 0) timers[i]->cancel();
            if (i % 3 == 1) timers[i].reset();
            if (i % 3 == 2) timers[i]->set(TimePoint::max(), count);
        }
        timers.clear();
    };
    for (const auto& timer : timers) timer->set(past, drop_all);
    run();
    EXPECT_EQ(calls, 1U);
}

TEST_F(SystemTimeTest, WhoIsCalledMaySetItAgain) {
    const auto timer = time->timer();
    timer->set(past, [&] {
        ++calls;
        timer->set(past, count);
    });
    run();
    EXPECT_EQ(calls, 2U);
}

}  // namespace
}  // namespace sftdyn::base
