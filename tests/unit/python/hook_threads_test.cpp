// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/hook_threads.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <thread>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace sftdyn::python {
namespace {

/// One that was run; its number says how many were run before it.
class NumberedConf : public Conf {
public:
    NumberedConf(unsigned of, std::function<base::Result<std::shared_ptr<const Conf>>()> again)
        : number(of), again_(std::move(again)) {}
    base::Result<std::shared_ptr<const Conf>> run_anew() const override { return again_(); }
    base::Result<std::vector<ConfSetting>> settings(
        const std::vector<std::string>&) const override {
        return std::vector<ConfSetting>();
    }
    base::Result<std::optional<std::vector<ConfClient>>> clients(
        const std::string&) const override {
        return std::optional<std::vector<ConfClient>>();
    }
    base::Result<std::vector<std::string>> tables() const override {
        return std::vector<std::string>();
    }
    bool has_get_ip() const override { return false; }
    bool has_get_host() const override { return false; }
    bool has_nsupdate_commands() const override { return false; }
    bool reads_headers() const override { return false; }
    bool get_ip_reads_key() const override { return false; }
    std::unique_ptr<Call> call(std::string_view, const Fields&, std::string_view) const override {
        return nullptr;
    }

    const unsigned number;

private:
    std::function<base::Result<std::shared_ptr<const Conf>>()> again_;
};

/// An interpreter whose interruption opens a gate: code that waits at it goes on.
class GateInterpreter : public Interpreter {
public:
    class Thread : public Attached {
    public:
        explicit Thread(GateInterpreter& owner) : owner_(owner), number_(++owner.threads) {}
        std::uint64_t number() const override { return number_; }
        void serve(Jobs& jobs) override {
            for (auto took = Jobs::Took::job; took != Jobs::Took::closed; took = jobs.run_next())
                if (took == Jobs::Took::none) jobs.wait(-1, std::nullopt);
        }
        void unlocked(const std::function<void()>& call) override { call(); }
        void clear_interrupt() override { ++owner_.cleared; }

    private:
        GateInterpreter& owner_;
        std::uint64_t number_;
    };
    base::Result<std::shared_ptr<const Conf>> run(const std::string&) override {
        if (is_broken) return base::Error{"broken"};
        const std::lock_guard lock(mutex);
        ran_on.insert(std::this_thread::get_id());
        return std::make_shared<const NumberedConf>(runs++, [this] { return run(""); });
    }
    std::unique_ptr<Attached> attach() override { return std::make_unique<Thread>(*this); }
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
    unsigned interrupted = 0, runs = 0;
    std::set<std::thread::id> ran_on{};
    std::atomic<bool> is_broken = false;
    std::atomic<unsigned> threads = 0, cleared = 0;
};

struct FakeJob : public HookJob {
    FakeJob(
        std::function<void(const NumberedConf&)> what, base::Duration time,
        std::function<void()> late = [] { ADD_FAILURE() << "it timed out"; })
        : work(std::move(what)), too_late(std::move(late)), until(base::Clock::now() + time) {}
    void run(const Conf& conf) override { work(dynamic_cast<const NumberedConf&>(conf)); }
    void on_timeout() override { too_late(); }
    base::TimePoint deadline() const override { return until; }

    std::function<void(const NumberedConf&)> work;
    std::function<void()> too_late;
    base::TimePoint until;
};

class HookThreadsTest : public testing::Test {
protected:
    std::unique_ptr<HookThreads> begin(HookLimits limits = {.queue = 1000},
                                       base::Duration interrupt_time = 60s) {
        auto threads = HookThreads::start(interpreter, "conf", interrupt_time).value();
        threads->begin(limits, [this] { ++begun; });
        return threads;
    }
    template <class... Rest>
    static bool run(HookThreads& threads, Rest... rest) {
        return threads.run(std::make_shared<FakeJob>(std::move(rest)...));
    }
    /// Waits until a job was run, and returns the number of the conf that it was run with.
    static unsigned run_one(HookThreads& threads) {
        const auto ran = std::make_shared<std::promise<unsigned>>();
        EXPECT_TRUE(run(
            threads, [ran](const NumberedConf& conf) { ran->set_value(conf.number); }, 60s));
        return ran->get_future().get();
    }

    GateInterpreter interpreter;
    std::atomic<unsigned> begun = 0;
};

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
    const auto opened = gate.get_future().share();
    const auto threads = begin({.queue = 1000}, 1ms);
    std::atomic<bool> has_begun = false;
    while (!has_begun) {
        const auto timed_out = std::make_shared<std::promise<void>>();
        ASSERT_TRUE(run(
            *threads,
            [&has_begun, opened](const NumberedConf&) {
                has_begun = true;
                opened.wait();
            },
            20ms, [timed_out] { timed_out->set_value(); }));
        timed_out->get_future().wait();
    }
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
