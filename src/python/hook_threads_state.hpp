// SPDX-License-Identifier: GPL-3.0-or-later
// The shared state of the threads of a conf. Only for hook_threads.cpp and hook_worker.cpp.
#pragma once

#include <unistd.h>

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/eventfd.h>

#include "base/descriptor.hpp"
#include "base/mutex.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::python {

/// `mutex` guards everything that is not constant, including the workers' members. Hooks run
/// without it.
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
        std::uint64_t number = 0;        ///< identifies the thread for the interpreter
        std::shared_ptr<HookJob> job{};  ///< the running job
        base::TimePoint moved{};         ///< when it last took a job
        bool is_idle = false;            ///< found no job, and waits or is about to wait
        bool timed_out = false;          ///< its job has timed out, or it does not fetch jobs
        base::TimePoint replace_at{};    ///< when to replace it, if it has timed out
        bool has_successor = false;      ///< another thread is running the conf to replace it
        bool is_replaced = false;        ///< ends when its code returns
        Attached* attached = nullptr;    ///< set while it serves
        bool interrupted = false;        ///< an exception was sent that may not be raised yet
        bool interrupting = false;       ///< `Interpreter::interrupt` is in progress
    };
    using WorkerPtr = std::shared_ptr<Worker>;
    using Ran = base::Result<std::shared_ptr<const Conf>>;
    using RunConf = std::function<Ran()>;
    /// The result of the first thread's run of the conf, which `start` waits for.
    struct FirstRun {
        bool is_over = false;
        std::optional<Ran> ran{};
    };

    Shared(Interpreter& python, std::string conf, base::Duration patience)
        : interpreter(python), path(std::move(conf)), interrupt_time(patience) {}

    Interpreter& interpreter;
    const std::string path;
    const base::Duration interrupt_time;
    const pid_t process = getpid();
    base::Mutex mutex{};
    base::Condition changed{}, watch{}, to_interrupt_is_there{};
    FirstRun first GUARDED_BY(mutex){};
    std::shared_ptr<const Conf> conf GUARDED_BY(mutex){};  ///< of the first thread
    HookLimits limits GUARDED_BY(mutex){};
    std::function<void()> on_start GUARDED_BY(mutex){};
    std::deque<std::shared_ptr<HookJob>> queue GUARDED_BY(mutex){};
    std::list<WorkerPtr> workers
        GUARDED_BY(mutex){};  ///< those that have run the conf and were not replaced
    std::deque<WorkerPtr> to_interrupt GUARDED_BY(mutex){};
    base::TimePoint monitor_wakes GUARDED_BY(mutex){};  ///< the monitor's next timeout
    unsigned threads GUARDED_BY(mutex) =
        0;  ///< all running threads, including monitor and interrupter
    std::vector<std::thread> started GUARDED_BY(mutex){};
    bool has_monitor GUARDED_BY(mutex) = false;
    bool has_interrupter GUARDED_BY(mutex) = false;
    bool has_begun GUARDED_BY(mutex) = false;
    bool is_closed GUARDED_BY(mutex) = false;  ///< waiting jobs are still run
    bool stopping GUARDED_BY(mutex) = false;   ///< no more jobs are run

    bool start_thread(std::function<void(Shared&)> body) REQUIRES(mutex);
    bool start_worker(RunConf run_conf, WorkerPtr predecessor) REQUIRES(mutex);
    void work(const WorkerPtr& self, const RunConf& run_conf, const WorkerPtr& predecessor);
    [[nodiscard]] bool join(const WorkerPtr& self, Ran ran, const WorkerPtr& predecessor)
        REQUIRES(mutex);
    Jobs::Took run_next(Worker& self);
    void settle_interrupt(Worker& self) REQUIRES(mutex);
    void monitor();
    [[nodiscard]] std::vector<std::shared_ptr<HookJob>> time_out(base::TimePoint now)
        REQUIRES(mutex);
    void on_late(const WorkerPtr& worker, base::TimePoint now) REQUIRES(mutex);
    void replace(const WorkerPtr& worker, base::TimePoint now) REQUIRES(mutex);
    [[nodiscard]] base::TimePoint next_deadline() REQUIRES(mutex);
    void interrupt();
    void wake_all() REQUIRES(mutex);
    void close();
    bool stop(base::Duration patience);
};

}  // namespace sftdyn::python
