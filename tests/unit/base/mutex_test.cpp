// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace sftdyn::base {
namespace {

using namespace std::chrono_literals;

struct Counter {
    Mutex mutex;
    Condition changed;
    int value GUARDED_BY(mutex) = 0;
};

TEST(MutexTest, LetsOneThreadAtATimeIn) {
    Counter counter;
    const auto count = [&counter] {
        for (int i = 0; i < 10'000; ++i) {
            const MutexLock lock(counter.mutex);
            ++counter.value;
        }
    };
    std::thread other(count);
    count();
    other.join();
    const MutexLock lock(counter.mutex);
    EXPECT_EQ(counter.value, 20'000);
}

TEST(MutexTest, IsFreeWhileUnlocked) {
    Counter counter;
    const MutexLock lock(counter.mutex);
    {
        const MutexUnlock unlocked(counter.mutex);
        std::thread([&counter] {
            const MutexLock its(counter.mutex);
            counter.value = 1;
        }).join();
    }
    EXPECT_EQ(counter.value, 1);
}

TEST(ConditionTest, WaitsUntilItIsSo) {
    Counter counter;
    std::thread other([&counter] {
        for (int i = 0; i < 3; ++i) {
            const MutexLock lock(counter.mutex);
            ++counter.value;
            counter.changed.notify_all();
        }
    });
    {
        const MutexLock lock(counter.mutex);
        counter.changed.wait(counter.mutex,
                             [&]() REQUIRES(counter.mutex) { return counter.value == 3; });
        EXPECT_EQ(counter.value, 3);
    }
    other.join();
}

TEST(ConditionTest, GivesUpAtTheDeadline) {
    Counter counter;
    const MutexLock lock(counter.mutex);
    const auto never = [] { return false; };
    const TimePoint deadline = Clock::now() + 10ms;
    EXPECT_FALSE(counter.changed.wait_until(counter.mutex, deadline, never));
    EXPECT_GE(Clock::now(), deadline);
    EXPECT_FALSE(counter.changed.wait_for(counter.mutex, 1ms, never));
    EXPECT_TRUE(counter.changed.wait_for(counter.mutex, 0ms, [] { return true; }));
}

TEST(ConditionTest, HoldsTheMutexAfterAPredicateThrew) {
    Counter counter;
    {
        const MutexLock lock(counter.mutex);
        const auto fails = []() -> bool { throw std::runtime_error("predicate"); };
        EXPECT_THROW(counter.changed.wait(counter.mutex, fails), std::runtime_error);
        std::thread other([&counter] {
            const MutexLock its(counter.mutex);
            counter.value = 2;
        });
        counter.value = 1;
        std::this_thread::sleep_for(10ms);
        EXPECT_EQ(counter.value, 1);
        const MutexUnlock unlocked(counter.mutex);
        other.join();
    }
    const MutexLock lock(counter.mutex);
    EXPECT_EQ(counter.value, 2);
}

}  // namespace
}  // namespace sftdyn::base
