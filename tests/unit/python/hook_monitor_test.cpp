// SPDX-License-Identifier: GPL-3.0-or-later
// Threads of a conf that lack memory, that are replaced, and that end.
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "python/hook_threads_fixture.hpp"

namespace sftdyn::python {
namespace {

class HookMonitorTest : public HookThreadsTest {};

TEST_F(HookMonitorTest, AFirstThreadWithoutMemoryIsAnError) {
    interpreter.attaches_without_memory = 1;
    const auto none = HookThreads::start(interpreter, "conf");
    ASSERT_TRUE(none.has_error());
    EXPECT_EQ(none.error().what, "there is not enough memory for its thread");
    EXPECT_TRUE(HookThreads::start(interpreter, "conf").has_value());
}

TEST_F(HookMonitorTest, ARoundOfTheMonitorWithoutMemoryIsFollowedByOthers) {
    const auto threads = begin();
    for (int i = 0; i < 2; ++i) {
        std::promise<void> gate;
        const auto timed_out = std::make_shared<std::promise<void>>();
        const auto opened = gate.get_future().share();
        const auto job = std::make_shared<FakeJob>([opened](const NumberedConf&) { opened.wait(); },
                                                   20ms, [timed_out] { timed_out->set_value(); });
        *job->deadlines_without_memory = 1;
        ASSERT_TRUE(threads->run(job));
        EXPECT_EQ(timed_out->get_future().wait_for(30s), std::future_status::ready);
        gate.set_value();
        EXPECT_EQ(*job->deadlines_without_memory, 0);
    }
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookMonitorTest, AnInterruptWithoutMemoryIsTriedAgain) {
    const auto threads = begin();
    interpreter.attaches_without_memory = 1;
    interpreter.interrupts_without_memory = 1;
    std::atomic<bool> has_begun = false;
    while (!has_begun) {
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
    EXPECT_EQ(run_one(*threads), 0U);
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookMonitorTest, ASuccessorWithoutMemoryIsFollowedByAnother) {
    std::promise<void> gate;
    const auto threads = begin({.queue = 1000}, 1ms, 100ms);
    interpreter.attaches_without_memory = 4;  // one of them may be the interrupter's
    hang(*threads, gate.get_future().share());
    EXPECT_NE(run_one(*threads), nobody);
    EXPECT_EQ(interpreter.attaches_without_memory, 0);
    gate.set_value();
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookMonitorTest, ASuccessorThatDoesNotRunTheConfIsLeftAndAnotherTries) {
    std::promise<void> gate, gate_of_run;
    const auto opened = gate_of_run.get_future().share();
    interpreter.on_run = [opened](unsigned number) {
        if (number == 1) opened.wait();
    };
    const auto threads = begin({.queue = 1000}, 1ms, 100ms);
    hang(*threads, gate.get_future().share());
    EXPECT_GE(run_one(*threads), 2U) << "not that of the thread that is left";
    gate_of_run.set_value();
    gate.set_value();
    EXPECT_NE(run_one(*threads), 1U) << "it is not needed any more";
    EXPECT_TRUE(threads->stopper().stop(60s));
}

TEST_F(HookMonitorTest, InPlaceOfARetiredThreadAnotherOneIsOnlyStartedForAJob) {
    std::promise<void> gate;
    const auto threads = begin({.queue = 1000}, 1ms);
    threads->retire();
    hang(*threads, gate.get_future().share());
    {
        std::unique_lock lock(interpreter.mutex);
        interpreter.opened.wait(lock, [&] { return interpreter.interrupted > 0; });
        EXPECT_FALSE(interpreter.has_run.wait_for(lock, 300ms, [&] {
            return interpreter.runs > 1;
        })) << "nobody waits for another";
    }
    EXPECT_EQ(run_one(*threads), 1U);
    gate.set_value();
    EXPECT_TRUE(threads->stopper().stop(60s));
}

/// How many stacks of threads the process has mapped.
int stacks() {
    pthread_attr_t attributes;
    std::size_t size = 0;
    pthread_getattr_default_np(&attributes);
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    std::ifstream maps("/proc/self/maps");
    int found = 0;
    for (std::string line; std::getline(maps, line);) {
        std::size_t middle = 0;
        const auto begin = std::stoull(line, &middle, 16);
        const auto end = std::stoull(line.substr(middle + 1), nullptr, 16);
        found += end - begin == size ? 1 : 0;
    }
    return found;
}

TEST_F(HookMonitorTest, ThreadsThatHaveEndedLeaveNoStacks) {
    constexpr int replaced = 20;
    const auto threads = begin({.queue = 1000}, 1ms);
    const int before = stacks();
    for (int i = 0; i < replaced; ++i) {
        std::promise<void> gate;
        hang(*threads, gate.get_future().share());
        EXPECT_NE(run_one(*threads), nobody);
        gate.set_value();
    }
    // The system keeps some for later threads.
    const auto limit = base::Clock::now() + 30s;
    while (stacks() - before > replaced / 2 && base::Clock::now() < limit)
        std::this_thread::yield();
    EXPECT_LE(stacks() - before, replaced / 2);
    EXPECT_TRUE(threads->stopper().stop(60s));
}

}  // namespace
}  // namespace sftdyn::python
