// SPDX-License-Identifier: GPL-3.0-or-later
// The threads that a Python conf is run on, and its hooks with it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "python/conf.hpp"

namespace sftdyn::python {

/// How many requests may wait, and on how many threads hooks run.
struct HookLimits {
    std::size_t queue{};  ///< that wait for a thread; what is usual says the configuration
    unsigned threads = 1;
};

/// A request whose hooks are to be run. Shared by the thread that runs it and by the monitor.
class HookJob {
public:
    virtual ~HookJob() = default;
    /// Asks the hooks, those of the thread's own conf.
    virtual void run(const Conf& conf) = 0;
    /// `run` has not returned, or not been called, by the deadline. On the monitor's thread.
    virtual void on_timeout() = 0;
    [[nodiscard]] virtual base::TimePoint deadline() const = 0;
};

/// A conf, run on a thread of its own, and its hooks on the same: one request after the other, so
/// that nothing runs between the hooks of one, and what the conf keeps in a global is that
/// request's. With more threads each of them runs the conf for itself. A hook that passes its
/// deadline is interrupted; where that does not end it, a new thread runs the conf anew and takes
/// its place. Thread-safe.
class HookThreads {
    struct Shared;

public:
    /// Ends the threads. It may be used after their `HookThreads` was let go, too.
    class Stopper {
    public:
        explicit Stopper(std::shared_ptr<Shared> state) : state_(std::move(state)) {}
        /// Interrupts what is under way, and waits for it. False: some does not return; then the
        /// process can't be ended in the ordinary way.
        [[nodiscard]] bool stop(base::Duration patience) const;
        /// Whether all have ended.
        [[nodiscard]] bool is_over() const;

    private:
        std::shared_ptr<Shared> state_;
    };

    /// How long an interrupted hook may take to end.
    static constexpr base::Duration interrupt_time = std::chrono::seconds(1);

    /// Runs the conf on its first thread, and waits for that.
    [[nodiscard]] static base::Result<std::unique_ptr<HookThreads>> start(
        Interpreter& interpreter, std::string path,
        base::Duration interrupt_time = HookThreads::interrupt_time);
    /// Takes no more jobs; the threads end by themselves when those that wait are done.
    ~HookThreads();
    HookThreads(const HookThreads&) = delete;
    HookThreads& operator=(const HookThreads&) = delete;

    /// The first thread's.
    [[nodiscard]] std::shared_ptr<const Conf> conf() const;

    /// Jobs may come. Each thread calls `on_start` before any code of the conf runs on it again.
    /// Once.
    void begin(
        const HookLimits& limits, std::function<void()> on_start = [] {});

    /// False: too many wait already, or nobody watches the time, for the system gives no thread.
    [[nodiscard]] bool run(std::shared_ptr<HookJob> job);

    [[nodiscard]] Stopper stopper() const;

    /// For commands: runs that where the conf's hooks run, and waits for it. False: it did not
    /// return in time, and is left to itself, so `what` holds all that it uses.
    [[nodiscard]] bool call(const std::function<void(const Conf&)>& what, base::Duration patience);

private:
    explicit HookThreads(std::shared_ptr<Shared> state);
    std::shared_ptr<Shared> state_;  ///< shared with threads that never come back
};

}  // namespace sftdyn::python
