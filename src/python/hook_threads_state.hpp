// SPDX-License-Identifier: GPL-3.0-or-later
// The shared state of the threads of a conf. Only for hook_threads.cpp, hook_worker.cpp and
// hook_monitor.cpp.
#pragma once

#include <unistd.h>

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <sys/eventfd.h>

#include "base/descriptor.hpp"
#include "base/mutex.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::python {

/// `mutex` guards everything that is not constant, including the workers' members. Hooks run
/// without it. Lack of memory ends none of the threads before it has reported its outcome: what a
/// thread does at its end needs no memory.
struct HookThreads::Shared : std::enable_shared_from_this<HookThreads::Shared> {
    /// A thread, its conf and its state.
    struct Worker : public Jobs {
        explicit Worker(Shared& of) : shared(of) {}
        Took run_next() override { return shared.run_next(*this); }
        void wait(int descriptor, std::optional<base::TimePoint> until) override;
        /// Ends a wait. Called with the mutex held.
        void wake();

        Shared& shared;
        const base::Descriptor event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        std::shared_ptr<const Conf> conf{};
        std::shared_ptr<Worker> predecessor{};  ///< the thread to replace; null: none
        std::uint64_t number = 0;               ///< identifies the thread for the interpreter
        std::shared_ptr<HookJob> job{};         ///< the running job
        base::TimePoint moved{};                ///< when it last took a job
        bool is_idle = false;                   ///< found no job, and waits or is about to wait
        /// Its job or its run of the conf has timed out, or it does not fetch jobs.
        bool timed_out = false;
        base::TimePoint run_until = base::TimePoint::max();  ///< when its run of the conf times out
        base::TimePoint
            replace_at{};            ///< when another thread may run the conf, if it has timed out
        bool has_successor = false;  ///< another thread is running the conf to replace it
        bool is_given_up = false;    ///< has not run the conf: another thread may
        bool is_replaced = false;    ///< ends when its code returns
        Attached* attached = nullptr;  ///< used on its own thread only
        bool to_interrupt = false;     ///< the interrupter has not seen it yet
        bool interrupted = false;      ///< an exception was sent that may not be raised yet
        bool interrupting = false;     ///< `Interpreter::interrupt` is in progress
    };
    using WorkerPtr = std::shared_ptr<Worker>;
    using Workers = std::list<WorkerPtr>;
    using Ran = base::Result<std::shared_ptr<const Conf>>;
    using RunConf = std::function<Ran()>;
    /// The first thread's run of the conf, which `start` waits for.
    struct FirstRun {
        bool is_over = false;
        std::optional<Ran> ran{};  ///< empty: the thread had no memory for it
        base::Duration took{};
    };

    Shared(Interpreter& python, std::string conf, base::Duration interrupt, base::Duration run)
        : interpreter(python), path(std::move(conf)), interrupt_time(interrupt), run_time(run) {}

    Interpreter& interpreter;
    const std::string path;
    const base::Duration interrupt_time, run_time;
    const pid_t process = getpid();
    base::Mutex mutex{};
    base::Condition changed{}, watch{}, to_interrupt_is_there{};
    FirstRun first GUARDED_BY(mutex){};
    std::shared_ptr<const Conf> conf GUARDED_BY(mutex){};  ///< of the first thread
    HookLimits limits GUARDED_BY(mutex){};
    std::function<void()> on_start GUARDED_BY(mutex){};
    std::deque<std::shared_ptr<HookJob>> queue GUARDED_BY(mutex){};

    // Each worker is in one of these, from before its thread begins until that ends.
    Workers starting GUARDED_BY(mutex){};  ///< those that run the conf, or could not run it
    Workers workers GUARDED_BY(mutex){};   ///< those that have run the conf and were not replaced
    Workers replaced GUARDED_BY(mutex){};

    base::TimePoint monitor_wakes GUARDED_BY(mutex){};  ///< the monitor's next timeout
    base::TimePoint grow_at GUARDED_BY(mutex){};        ///< when a missing thread may be started
    unsigned threads GUARDED_BY(mutex) =
        0;  ///< all running threads, including monitor and interrupter
    std::list<std::thread> started GUARDED_BY(mutex){};
    std::list<std::thread> ended GUARDED_BY(mutex){};  ///< to be joined; they use nothing any more
    bool is_let_go GUARDED_BY(mutex) = false;          ///< the threads are not joined
    bool has_monitor GUARDED_BY(mutex) = false;
    bool has_interrupter GUARDED_BY(mutex) = false;
    bool has_begun GUARDED_BY(mutex) = false;
    bool is_retired GUARDED_BY(mutex) = false;  ///< another conf has taken over
    bool is_closed GUARDED_BY(mutex) = false;   ///< waiting jobs are still run
    bool stopping GUARDED_BY(mutex) = false;    ///< no more jobs are run

    /// The pause before a conf is run again after a failure, or a thread started after there was
    /// none.
    [[nodiscard]] base::Duration retry_time() const { return run_time / 2; }

    bool start_thread(std::function<void(Shared&)> body) REQUIRES(mutex);
    void end_thread(std::list<std::thread>::iterator own);
    bool start_worker(const RunConf& run_conf, const WorkerPtr& predecessor) REQUIRES(mutex);
    bool start_another(const WorkerPtr& predecessor) REQUIRES(mutex);
    void start_missing(base::TimePoint now) REQUIRES(mutex);
    [[nodiscard]] bool is_missing() const REQUIRES(mutex);
    [[nodiscard]] bool is_served() const REQUIRES(mutex);

    void work(const WorkerPtr& self, const RunConf& run_conf);
    [[nodiscard]] Ran run_on(const WorkerPtr& self, const RunConf& run_conf);
    [[nodiscard]] bool join(const WorkerPtr& self, Ran ran) REQUIRES(mutex);
    void give_up(Worker& self, base::Duration pause) REQUIRES(mutex);
    void leave(const WorkerPtr& self);
    Jobs::Took run_next(Worker& self);
    void settle_interrupt(Worker& self) REQUIRES(mutex);
    void settle_run(Worker& self) REQUIRES(mutex);

    void monitor();
    void watch_once() REQUIRES(mutex);
    void join_ended() REQUIRES(mutex);
    [[nodiscard]] std::shared_ptr<HookJob> take_late(base::TimePoint now) REQUIRES(mutex);
    void on_late(Worker& worker, base::TimePoint now) REQUIRES(mutex);
    void replace(const WorkerPtr& worker, base::TimePoint now) REQUIRES(mutex);
    void watch_run(Worker& worker, base::TimePoint now) REQUIRES(mutex);
    [[nodiscard]] base::TimePoint next_deadline() REQUIRES(mutex);

    void start_interrupter() REQUIRES(mutex);
    void interrupt();
    void interrupt(Worker& worker) REQUIRES(mutex);
    [[nodiscard]] WorkerPtr next_to_interrupt() const REQUIRES(mutex);

    void wake_all() REQUIRES(mutex);
    void retire();
    void close();
    void drop_queue() REQUIRES(mutex);
    bool stop(base::Duration patience);
};

}  // namespace sftdyn::python
