// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/hook_threads.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "python/hook_threads_fixture.hpp"

namespace sftdyn::python {
namespace {

TEST_F(HookThreadsTest, ConfAndJobsRunOnOneThreadOneAfterTheOther) {
    const auto threads = begin();
    constexpr int jobs = 1000;
    std::set<std::thread::id> used;  // without a lock: nobody else is in there
    int done = 0;
    std::promise<void> all;
    for (int i = 0; i < jobs; ++i)
        ASSERT_TRUE(run(
            *threads,
            [&](const NumberedConf&) {
                used.insert(std::this_thread::get_id());
                if (++done == jobs) all.set_value();
            },
            60s));
    all.get_future().wait();
    EXPECT_EQ(used, interpreter.ran_on);
    EXPECT_EQ(used.size(), 1U);
    EXPECT_EQ(begun, 1U);
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookThreadsTest, EachOfSeveralThreadsRunsTheConfForItself) {
    const auto threads = begin({.queue = 1000, .threads = 3});
    // Three that wait for each other can only be on three threads.
    std::promise<void> all;
    const auto opened = all.get_future().share();
    std::mutex mutex;
    std::set<unsigned> confs;
    std::atomic<int> there = 0;
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(run(
            *threads,
            [&, opened](const NumberedConf& conf) {
                {
                    const std::lock_guard lock(mutex);
                    confs.insert(conf.number);
                }
                if (++there == 3) all.set_value();
                opened.wait();
            },
            60s));
    opened.wait();
    EXPECT_TRUE(threads->stopper().stop(60s));
    EXPECT_EQ(confs, (std::set<unsigned>{0, 1, 2}));
    EXPECT_EQ(interpreter.ran_on.size(), 3U);
}

TEST_F(HookThreadsTest, AConfThatDoesNotRunIsAnError) {
    interpreter.is_broken = true;
    EXPECT_EQ(HookThreads::start(interpreter, "conf").error().what, "broken");
}

TEST_F(HookThreadsTest, WhatHasNoMemoryIsDroppedAndTheNextRuns) {
    const auto threads = begin();
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = held;
    ASSERT_TRUE(run(
        *threads, [kept = std::move(held)](const NumberedConf&) { throw std::bad_alloc(); }, 60s));
    run_one(*threads);
    EXPECT_TRUE(watched.expired()) << "what waits for an answer is told that there is none";
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookThreadsTest, LateWorkIsToldOfAndInterrupted) {
    const auto threads = begin();
    // On a busy machine the time may be over before the work begins.
    for (std::atomic<bool> has_begun = false; !has_begun;) {
        const auto timed_out = std::make_shared<std::promise<void>>();
        ASSERT_TRUE(run(
            *threads,
            [&](const NumberedConf&) {
                has_begun = true;
                interpreter.stand_still();
            },
            20ms, [timed_out] { timed_out->set_value(); }));
        timed_out->get_future().wait();
    }
    EXPECT_EQ(run_one(*threads), 0U) << "the thread goes on";
    EXPECT_GE(interpreter.interrupted, 1U);
    EXPECT_GE(interpreter.cleared, 1U);
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookThreadsTest, WhatCanNotBeInterruptedIsLeftAndTheConfIsRunAnew) {
    std::promise<void> gate;
    const auto threads = begin({.queue = 1000}, 1ms);
    hang(*threads, gate.get_future().share());
    EXPECT_EQ(run_one(*threads), 1U) << "another conf, on another thread";
    EXPECT_EQ(interpreter.ran_on.size(), 2U);
    gate.set_value();
    EXPECT_EQ(run_one(*threads), 1U);
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookThreadsTest, WhatWaitsTooLongIsLateToo) {
    const auto threads = begin();
    std::promise<void> gate, has_begun, timed_out;
    const auto opened = gate.get_future().share();
    ASSERT_TRUE(run(
        *threads,
        [&has_begun, opened](const NumberedConf&) {
            has_begun.set_value();
            opened.wait();
        },
        60s));
    has_begun.get_future().wait();
    ASSERT_TRUE(run(
        *threads, [](const NumberedConf&) {}, 60s, [] {}));
    // One that has less time comes before one that has more.
    ASSERT_TRUE(run(
        *threads, [](const NumberedConf&) { ADD_FAILURE() << "it is not run"; }, 20ms,
        [&] { timed_out.set_value(); }));
    timed_out.get_future().wait();
    gate.set_value();
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookThreadsTest, AFullQueueIsRefused) {
    const auto threads = begin({.queue = 2});
    std::promise<void> gate, has_begun;
    const auto opened = gate.get_future().share();
    ASSERT_TRUE(run(
        *threads,
        [&, opened](const NumberedConf&) {
            has_begun.set_value();
            opened.wait();
        },
        60s));
    has_begun.get_future().wait();
    const auto add = [&] {
        return run(
            *threads, [](const NumberedConf&) {}, 60s, [] {});
    };
    EXPECT_TRUE(add());
    EXPECT_TRUE(add());
    EXPECT_FALSE(add());
    gate.set_value();
    static_cast<void>(threads->stopper().stop(60s));  // those that wait may be given up
}

TEST_F(HookThreadsTest, ThreadsThatAreLetGoDoWhatWaitsAndEnd) {
    auto threads = begin();
    const auto stopper = threads->stopper();
    std::promise<void> gate;
    std::atomic<int> done = 0;
    const auto opened = gate.get_future().share();
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(run(
            *threads,
            [&, opened](const NumberedConf&) {
                opened.wait();
                ++done;
            },
            60s));
    threads.reset();
    EXPECT_FALSE(stopper.is_over());
    gate.set_value();
    while (!stopper.is_over()) std::this_thread::yield();
    EXPECT_EQ(done, 3);
    EXPECT_TRUE(stopper.stop(0s));
}

TEST_F(HookThreadsTest, WhatDoesNotReturnIsNotWaitedFor) {
    static GateInterpreter kept;  // the thread outlives the test
    static std::promise<void> gate;
    const auto opened = gate.get_future().share();
    {
        const auto threads = HookThreads::start(kept, "conf").value();
        threads->begin({.queue = 10});
        std::promise<void> has_begun;
        ASSERT_TRUE(run(
            *threads,
            [&has_begun, opened](const NumberedConf&) {
                has_begun.set_value();
                opened.wait();
            },
            60s, [] {}));
        has_begun.get_future().wait();
        EXPECT_FALSE(threads->stopper().stop(10ms));
        EXPECT_FALSE(run(
            *threads, [](const NumberedConf&) {}, 60s));
    }
    gate.set_value();
}

}  // namespace
}  // namespace sftdyn::python
