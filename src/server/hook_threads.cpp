// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_threads.hpp"

#include <deque>
#include <list>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/thread.hpp"

namespace sftdyn::server {
namespace {

// A queue that has not moved for so long gets another thread: as long as CPython lets a thread have
// its lock, about.
constexpr auto stall_time = std::chrono::milliseconds(2);

}  // namespace

struct HookThreads::Shared : std::enable_shared_from_this<HookThreads::Shared> {
    struct HookJob {
        Work work, on_timeout;
        base::TimePoint queued, deadline;
    };
    /// Guarded by `mutex`; the work of its job runs without.
    struct HookThread {
        std::optional<HookJob> job{};  ///< under way
        std::uint64_t number = 0;      ///< for the interpreter
        bool timed_out = false;        ///< its job has
        bool interrupted = false;      ///< its job was
        bool interrupting = false;     ///< right now
    };
    using WorkerPtr = std::shared_ptr<HookThread>;

    Shared(python::Interpreter& python, const HookLimits& most)
        : interpreter(python), limits(most) {}

    python::Interpreter& interpreter;
    const HookLimits limits;
    base::Mutex mutex{};
    base::Condition work_is_there{}, watch{}, to_interrupt_is_there{}, changed{};
    std::deque<HookJob> queue GUARDED_BY(mutex){};
    std::list<WorkerPtr> workers GUARDED_BY(mutex){};
    std::deque<WorkerPtr> to_interrupt GUARDED_BY(mutex){};
    base::TimePoint moved GUARDED_BY(mutex){};  ///< when a job was last taken from the queue
    /// Workers that are at work, or called, and have not timed out.
    unsigned active GUARDED_BY(mutex) = 0;
    unsigned called GUARDED_BY(mutex) = 0;    ///< idle ones that have not come yet
    unsigned starting GUARDED_BY(mutex) = 0;  ///< new ones that have not come yet
    unsigned idle GUARDED_BY(mutex) = 0;
    unsigned threads GUARDED_BY(mutex) = 0;  ///< all that run, also those that only watch
    std::vector<std::thread> started GUARDED_BY(mutex){};
    bool has_monitor GUARDED_BY(mutex) = false;
    bool has_interrupter GUARDED_BY(mutex) = false;
    bool watching GUARDED_BY(mutex) = false;
    bool stopping GUARDED_BY(mutex) = false;

    /// False: there is none to be had.
    bool start_thread(std::function<void(Shared&)> body) REQUIRES(mutex) {
        started.reserve(started.size() + 1);
        auto thread = base::start_thread([self = shared_from_this(), body = std::move(body)] {
            body(*self);
            const base::MutexLock lock(self->mutex);
            --self->threads;
            self->changed.notify_all();
        });
        if (!thread) return false;
        started.push_back(std::move(*thread));
        ++threads;
        return true;
    }

    /// Those that watch over the workers. False: there are not both.
    bool start_watchers() REQUIRES(mutex) {
        if (!has_monitor) has_monitor = start_thread([](Shared& self) { self.monitor(); });
        if (has_monitor && !has_interrupter)
            has_interrupter = start_thread([](Shared& self) { self.interrupt(); });
        return has_interrupter;
    }

    /// One more worker, if there may be; not while one is on its way, which a busy machine may have
    /// waiting. Where the system gives no thread, the monitor tries it again.
    void call_worker() REQUIRES(mutex) {
        if (called > 0 || starting > 0) return;
        if (idle > 0) {
            ++called;
            ++active;
            work_is_there.notify_one();
        } else if (workers.size() < limits.threads) {
            std::list<WorkerPtr> added{std::make_shared<HookThread>()};
            if (!start_thread([worker = added.back()](Shared& state) { state.work(worker); }))
                return;
            workers.splice(workers.end(), added);
            ++starting;
            ++active;
        }
    }

    void work(const WorkerPtr& self) {
        const auto attached = interpreter.attach();
        const base::MutexLock lock(mutex);
        self->number = attached->number();
        --starting;
        while (next(*self)) {
            const Work& job = self->job->work;
            {
                const base::MutexUnlock unlocked(mutex);
                base::survive_no_memory(job);
            }
            finish(*self, *attached);
        }
        workers.remove(self);
    }

    /// Takes a job, if need be after a wait. False: there is no more to do.
    bool next(HookThread& self) REQUIRES(mutex) {
        while (queue.empty() && !stopping) {
            --active;
            ++idle;
            work_is_there.wait(mutex, [this]() REQUIRES(mutex) { return called > 0 || stopping; });
            --idle;
            if (called > 0)
                --called;
            else
                ++active;
        }
        if (queue.empty()) {
            --active;
            return false;
        }
        self.job = std::move(queue.front());
        queue.pop_front();
        moved = base::Clock::now();
        return true;
    }

    void finish(HookThread& self, python::Attached& attached) REQUIRES(mutex) {
        changed.wait(mutex, [&] { return !self.interrupting; });
        if (std::exchange(self.interrupted, false)) {
            const base::MutexUnlock unlocked(mutex);
            attached.clear_interrupt();
        }
        if (std::exchange(self.timed_out, false)) ++active;
        HookJob done = std::move(*self.job);
        self.job.reset();
        // What it holds may be the last of something large.
        const base::MutexUnlock unlocked(mutex);
        done = HookJob();
    }

    /// Calls more workers when the queue stalls, and times jobs out.
    void monitor() {
        const base::MutexLock lock(mutex);
        while (!stopping) {
            const auto now = base::Clock::now();
            std::vector<HookJob> timed_out;
            while (!queue.empty() && queue.front().deadline <= now) {
                timed_out.push_back(std::move(queue.front()));
                queue.pop_front();
            }
            bool busy = !queue.empty();
            for (const WorkerPtr& worker : workers) {
                if (!worker->job || worker->timed_out) continue;
                busy = true;
                if (worker->job->deadline > now) continue;
                worker->timed_out = true;
                --active;
                timed_out.push_back({{}, std::move(worker->job->on_timeout), {}, {}});
                to_interrupt.push_back(worker);
            }
            if (!to_interrupt.empty()) to_interrupt_is_there.notify_one();
            if (!queue.empty() && now - std::max(queue.front().queued, moved) >= stall_time)
                call_worker();
            if (!timed_out.empty()) {
                const base::MutexUnlock unlocked(mutex);
                for (const HookJob& job : timed_out) base::survive_no_memory(job.on_timeout);
                timed_out.clear();
                continue;
            }
            if (busy) {
                watch.wait_for(mutex, stall_time);
            } else {
                watching = false;
                watch.wait(mutex, [this]() REQUIRES(mutex) { return watching || stopping; });
            }
        }
    }

    /// On a thread of its own: it needs the interpreter's lock, which a hook may hold for ever.
    void interrupt() {
        const base::MutexLock lock(mutex);
        for (;;) {
            to_interrupt_is_there.wait(
                mutex, [this]() REQUIRES(mutex) { return !to_interrupt.empty() || stopping; });
            if (to_interrupt.empty()) return;
            const WorkerPtr worker = std::move(to_interrupt.front());
            to_interrupt.pop_front();
            if (!worker->job || !(worker->timed_out || stopping)) continue;
            worker->interrupting = true;
            worker->interrupted = true;
            {
                const base::MutexUnlock unlocked(mutex);
                interpreter.interrupt(worker->number);
            }
            worker->interrupting = false;
            changed.notify_all();
        }
    }
};

HookThreads::HookThreads(python::Interpreter& interpreter, const HookLimits& limits)
    : state_(std::make_shared<Shared>(interpreter, limits)) {}

HookThreads::~HookThreads() { static_cast<void>(stop(base::Duration(0))); }

bool HookThreads::run(Work work, Work on_timeout, base::TimePoint deadline) {
    Shared& state = *state_;
    const base::MutexLock lock(state.mutex);
    if (state.stopping || state.queue.size() >= state.limits.queue) return false;
    if (!state.start_watchers()) return false;
    state.queue.push_back({std::move(work), std::move(on_timeout), base::Clock::now(), deadline});
    if (state.active == 0) state.call_worker();
    if (state.workers.empty()) {
        state.queue.pop_back();
        return false;
    }
    if (!state.watching) {
        state.watching = true;
        state.watch.notify_one();
    }
    return true;
}

bool HookThreads::stop(base::Duration patience) {
    Shared& state = *state_;
    const base::MutexLock lock(state.mutex);
    state.stopping = true;
    std::deque<Shared::HookJob> undone;
    undone.swap(state.queue);
    for (const auto& worker : state.workers) {
        if (worker->job) state.to_interrupt.push_back(worker);
    }
    state.work_is_there.notify_all();
    state.watch.notify_all();
    state.to_interrupt_is_there.notify_all();
    {
        const base::MutexUnlock unlocked(state.mutex);
        for (const auto& job : undone) base::survive_no_memory(job.on_timeout);
    }
    const bool all = state.changed.wait_for(
        state.mutex, patience, [&]() REQUIRES(state.mutex) { return state.threads == 0; });
    auto started = std::exchange(state.started, {});
    const base::MutexUnlock unlocked(state.mutex);
    // What a library keeps for each thread is gone only when the thread is: at the process's end
    // that library frees the rest.
    for (std::thread& thread : started) all ? thread.join() : thread.detach();
    return all;
}

}  // namespace sftdyn::server
