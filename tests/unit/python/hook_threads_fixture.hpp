// SPDX-License-Identifier: GPL-3.0-or-later
// A conf and an interpreter without Python, and jobs for threads that run them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "python/hook_threads.hpp"

namespace sftdyn::python {

using namespace std::chrono_literals;

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
        unsigned number = 0;
        {
            const std::lock_guard lock(mutex);
            ran_on.insert(std::this_thread::get_id());
            number = runs++;
            has_run.notify_all();
        }
        on_run(number);
        return std::make_shared<const NumberedConf>(number, [this] { return run(""); });
    }
    std::unique_ptr<Attached> attach() override {
        take(attaches_without_memory);
        return std::make_unique<Thread>(*this);
    }
    void interrupt(std::uint64_t) override {
        take(interrupts_without_memory);
        const std::lock_guard lock(mutex);
        ++interrupted;
        opened.notify_all();
    }
    /// Waits until somebody is interrupted.
    void stand_still() {
        std::unique_lock lock(mutex);
        opened.wait(lock, [this] { return interrupted > 0; });
    }

    /// Throws as long as there are failures to come.
    static void take(std::atomic<int>& failures) {
        if (failures-- > 0) throw std::bad_alloc();
        failures = 0;
    }

    std::mutex mutex;
    std::condition_variable opened, has_run;
    unsigned interrupted = 0, runs = 0;
    /// What the conf's own code does, by the number of its run.
    std::function<void(unsigned)> on_run = [](unsigned) {};
    std::atomic<int> attaches_without_memory = 0, interrupts_without_memory = 0;
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
    base::TimePoint deadline() const override {
        if (std::this_thread::get_id() != made_on) GateInterpreter::take(*deadlines_without_memory);
        return until;
    }

    const std::thread::id made_on = std::this_thread::get_id();
    /// For other threads than the one that made it.
    std::shared_ptr<std::atomic<int>> deadlines_without_memory =
        std::make_shared<std::atomic<int>>(0);
    std::function<void(const NumberedConf&)> work;
    std::function<void()> too_late;
    base::TimePoint until;
};

class HookThreadsTest : public testing::Test {
protected:
    std::unique_ptr<HookThreads> begin(HookLimits limits = {.queue = 1000},
                                       base::Duration interrupt_time = 60s,
                                       base::Duration run_time = 60s) {
        auto threads = HookThreads::start(interpreter, "conf", interrupt_time, run_time).value();
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
            threads, [ran](const NumberedConf& conf) { ran->set_value(conf.number); }, 60s,
            [ran] {
                ADD_FAILURE() << "nobody serves";
                ran->set_value(nobody);
            }));
        return ran->get_future().get();
    }
    /// Has the thread run a job that does not return before the gate is open, and that times out.
    static void hang(HookThreads& threads, const std::shared_future<void>& opened) {
        // On a busy machine the time may be over before the work begins.
        for (const auto has_begun = std::make_shared<std::atomic<bool>>(false); !*has_begun;) {
            const auto timed_out = std::make_shared<std::promise<void>>();
            ASSERT_TRUE(run(
                threads,
                [has_begun, opened](const NumberedConf&) {
                    *has_begun = true;
                    opened.wait();
                },
                20ms, [timed_out] { timed_out->set_value(); }));
            ASSERT_EQ(timed_out->get_future().wait_for(30s), std::future_status::ready)
                << "nothing times out any more";
        }
    }

    static constexpr unsigned nobody = 1'000'000;

    GateInterpreter interpreter;
    std::atomic<unsigned> begun = 0;
};

}  // namespace sftdyn::python
