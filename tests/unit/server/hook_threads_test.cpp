// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_threads.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace sftdyn::server {
namespace {

/// An interpreter whose interruption opens a gate: code that waits at it goes on.
class FakeInterpreter : public python::Interpreter {
public:
    class Thread : public python::Attached {
    public:
        explicit Thread(FakeInterpreter& owner) : owner_(owner), number_(++owner.threads) {}
        std::uint64_t number() const override { return number_; }
        void clear_interrupt() override { ++owner_.cleared; }

    private:
        FakeInterpreter& owner_;
        std::uint64_t number_;
    };
    base::Result<std::shared_ptr<const python::Conf>> run(const std::string&) override {
        return base::Error{"none"};
    }
    std::unique_ptr<python::Attached> attach() override { return std::make_unique<Thread>(*this); }
    void interrupt(std::uint64_t) override {
        const std::lock_guard lock(mutex);
        ++interrupted;
        opened.notify_all();
    }
    /// Waits until somebody is interrupted.
    void stand_still() {
        std::unique_lock lock(mutex);
        opened.wait(lock, [this] { return interrupted > 0; });
    }

    std::mutex mutex;
    std::condition_variable opened;
    unsigned interrupted = 0;
    std::atomic<unsigned> threads = 0, cleared = 0;
};

constexpr HookLimits usual{.queue = 1000};

base::TimePoint in(base::Duration time) { return base::Clock::now() + time; }
void never() { ADD_FAILURE() << "it timed out"; }

TEST(HookThreads, WhatHasNoMemoryIsDroppedAndTheNextRuns) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, {1000, 1});
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = held;
    std::promise<void> done;
    ASSERT_TRUE(threads.run([kept = std::move(held)] { throw std::bad_alloc(); }, never, in(60s)));
    ASSERT_TRUE(threads.run([&] { done.set_value(); }, never, in(60s)));
    done.get_future().wait();
    EXPECT_TRUE(watched.expired()) << "what waits for an answer is told that there is none";
    EXPECT_TRUE(threads.stop(60s));
}

// By one thread, were it not for the machine, which may let that one wait.
TEST(HookThreads, QuickWorkIsDoneByFewThreads) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, {1000, 1000});
    std::atomic<int> done = 0;
    std::promise<void> all;
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(threads.run(
            [&] {
                if (++done == 1000) all.set_value();
            },
            never, in(1min)));
    }
    all.get_future().wait();
    EXPECT_LE(interpreter.threads, 50U);
    EXPECT_TRUE(threads.stop(1min));
}

TEST(HookThreads, WorkThatWaitsDoesNotKeepOthersWaiting) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, usual);
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    std::promise<void> last;
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(threads.run([opened] { opened.wait(); }, never, in(1min)));
    ASSERT_TRUE(threads.run([&] { last.set_value(); }, never, in(1min)));
    last.get_future().wait();  // while the five still wait
    gate.set_value();
    EXPECT_TRUE(threads.stop(1min));
    EXPECT_EQ(interpreter.threads, 6U);
}

TEST(HookThreads, LateWorkIsToldOfAndInterrupted) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, usual);
    // On a busy machine the time may be over before the work begins.
    for (std::atomic<bool> begun = false; !begun;) {
        const auto timed_out = std::make_shared<std::promise<void>>();
        ASSERT_TRUE(threads.run(
            [&] {
                begun = true;
                interpreter.stand_still();
            },
            [timed_out] { timed_out->set_value(); }, in(20ms)));
        timed_out->get_future().wait();
    }
    EXPECT_TRUE(threads.stop(1min));
    EXPECT_GE(interpreter.interrupted, 1U);
    EXPECT_GE(interpreter.cleared, 1U);
}

TEST(HookThreads, WhatWaitsTooLongIsLateToo) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, {100, 1});
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    ASSERT_TRUE(threads.run([opened] { opened.wait(); }, never, in(1min)));
    std::promise<void> timed_out;
    ASSERT_TRUE(threads.run([] { ADD_FAILURE() << "it is not run"; },
                            [&] { timed_out.set_value(); }, in(20ms)));
    timed_out.get_future().wait();
    gate.set_value();
    EXPECT_TRUE(threads.stop(1min));
}

TEST(HookThreads, AFullQueueIsRefused) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, {2, 1});
    std::promise<void> gate, begun;
    const auto opened = gate.get_future().share();
    ASSERT_TRUE(threads.run(
        [&, opened] {
            begun.set_value();
            opened.wait();
        },
        never, in(1min)));
    begun.get_future().wait();
    EXPECT_TRUE(threads.run([] {}, [] {}, in(1min)));
    EXPECT_TRUE(threads.run([] {}, [] {}, in(1min)));
    EXPECT_FALSE(threads.run([] {}, [] {}, in(1min)));
    gate.set_value();
    static_cast<void>(threads.stop(1min));  // those that wait may be given up with `on_timeout`
}

TEST(HookThreads, WithoutAThreadItIsRefusedAtOnce) {
    FakeInterpreter interpreter;
    HookThreads threads(interpreter, {.queue = 10, .threads = 0});
    for (int i = 0; i < 2; ++i)
        EXPECT_FALSE(threads.run([] { ADD_FAILURE() << "it is not run"; }, never, in(1min)));
    EXPECT_TRUE(threads.stop(1min));
}

TEST(HookThreads, WhatDoesNotReturnIsNotWaitedFor) {
    static FakeInterpreter interpreter;  // the thread outlives the test
    static std::promise<void> gate;
    const auto opened = gate.get_future().share();
    {
        HookThreads threads(interpreter, usual);
        std::promise<void> begun;
        ASSERT_TRUE(threads.run(
            [&begun, opened] {
                begun.set_value();
                opened.wait();
            },
            [] {}, in(1min)));
        begun.get_future().wait();
        EXPECT_FALSE(threads.stop(10ms));
        EXPECT_FALSE(threads.run([] {}, never, in(1min)));
    }
    gate.set_value();
}

}  // namespace
}  // namespace sftdyn::server
