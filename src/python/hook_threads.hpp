// SPDX-License-Identifier: GPL-3.0-or-later
// The threads that run a Python conf and its hooks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "python/conf.hpp"

namespace sftdyn::python {

/// The limits of waiting requests and of threads.
struct HookLimits {
    std::size_t
        queue{};  ///< requests that may wait for a thread; the configuration has the default
    unsigned threads = 1;
};

/// A request for the hooks. Shared by the thread that runs it and by the monitor.
class HookJob {
public:
    virtual ~HookJob() = default;
    /// Calls the hooks of `conf`, the thread's own conf.
    virtual void run(const Conf& conf) = 0;
    /// `run` has not returned, or was not called, by the deadline. Called on the monitor's thread.
    virtual void on_timeout() = 0;
    [[nodiscard]] virtual base::TimePoint deadline() const = 0;
};

/// Runs a conf and its hooks on the same thread. Requests are handled one after the other, so the
/// hooks of one request are never interleaved with others, and globals of the conf belong to that
/// request. With several threads, each of them runs its own copy of the conf. A hook that exceeds
/// its deadline is interrupted. If it does not end, a new thread runs the conf again and replaces
/// the old thread. If that run takes too long, it is interrupted as well, and then another thread
/// tries. Lack of memory costs a job, or delays a thread; the next ones are served. Thread-safe.
class HookThreads {
    struct Shared;

public:
    /// Ends the threads. May outlive their `HookThreads`.
    class Stopper {
    public:
        explicit Stopper(std::shared_ptr<Shared> state) : state_(std::move(state)) {}
        /// Interrupts running hooks and waits for all threads. False: a hook does not return; then
        /// the process can't exit in the ordinary way.
        [[nodiscard]] bool stop(base::Duration patience) const;
        /// Whether all threads have ended.
        [[nodiscard]] bool is_over() const;

    private:
        std::shared_ptr<Shared> state_;
    };

    /// How long an interrupted hook may take to end.
    static constexpr base::Duration interrupt_time = std::chrono::seconds(1);
    /// How long a thread may take to run the conf again, unless the first run took more than a
    /// quarter of it: then four times as long as that. After a failure it is run again after half
    /// of this time.
    static constexpr base::Duration run_time = std::chrono::seconds(10);

    /// Starts the first thread, which runs the conf, and waits for the result.
    [[nodiscard]] static base::Result<std::unique_ptr<HookThreads>> start(
        Interpreter& interpreter, std::string path,
        base::Duration interrupt_time = HookThreads::interrupt_time,
        base::Duration run_time = HookThreads::run_time);
    /// Accepts no more jobs. The threads end by themselves when the waiting jobs are done.
    ~HookThreads();
    HookThreads(const HookThreads&) = delete;
    HookThreads& operator=(const HookThreads&) = delete;

    /// The conf of the first thread.
    [[nodiscard]] std::shared_ptr<const Conf> conf() const;

    /// To be called once, before the first job. Each thread calls `on_start` before it runs code of
    /// the conf again.
    void begin(
        const HookLimits& limits, std::function<void()> on_start = [] {});

    /// Another conf takes over. From now on a thread is replaced only while a job waits.
    void retire();

    /// Queues a job. False: too many jobs wait, or the monitor's thread can't be created.
    [[nodiscard]] bool run(std::shared_ptr<HookJob> job);

    [[nodiscard]] Stopper stopper() const;

    /// For commands: runs `what` on the conf's thread, and waits for it. False: it did not return
    /// in time and continues, so `what` must own everything that it uses.
    [[nodiscard]] bool call(const std::function<void(const Conf&)>& what, base::Duration patience);

private:
    explicit HookThreads(std::shared_ptr<Shared> state);
    std::shared_ptr<Shared> state_;  ///< shared with threads that may never end
};

}  // namespace sftdyn::python
