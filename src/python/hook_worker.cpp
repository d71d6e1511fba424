// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that runs a conf and its hooks.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/log.hpp"
#include "base/system_error.hpp"
#include "base/thread.hpp"
#include "base/zeroized_heap.hpp"
#include "python/hook_threads_state.hpp"

namespace sftdyn::python {

void HookThreads::Shared::Worker::wait(int descriptor, std::optional<base::TimePoint> until) {
    pollfd polled[] = {{event.get(), POLLIN, 0}, {descriptor, POLLIN, 0}};
    int patience = -1;
    if (until) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - base::Clock::now());
        patience = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    static_cast<void>(poll(polled, 2, patience));  // an interrupted wait counts as ended
    eventfd_t count = 0;
    if ((polled[0].revents & POLLIN) != 0) eventfd_read(event.get(), &count);
}

void HookThreads::Shared::Worker::wake() {
    is_idle = false;
    eventfd_write(event.get(), 1);
}

/// False: the system can't create a thread, or there is no memory for it.
bool HookThreads::Shared::start_thread(std::function<void(Shared&)> body) {
    try {
        std::list<std::thread> made(1);
        const auto own = made.begin();
        auto thread =
            base::start_thread([self = shared_from_this(), own, body = std::move(body)]() mutable {
                base::survive_no_memory([&] { body(*self); });
                body = nullptr;  // destroys what it owns on this thread
                self->end_thread(own);
            });
        if (!thread) return false;
        *own = std::move(*thread);
        ++threads;
        if (is_let_go) {
            own->detach();
        } else {
            started.splice(started.end(), made);
        }
        return true;
    } catch (const std::bad_alloc&) {
        base::say_no_memory();
        return false;
    }
}

/// `own` is the calling thread, unless the threads were let go.
void HookThreads::Shared::end_thread(std::list<std::thread>::iterator own) {
    const base::MutexLock lock(mutex);
    --threads;
    if (!is_let_go) ended.splice(ended.end(), started, own);
    watch.notify_all();
    changed.notify_all();
}

/// `predecessor` is the thread to replace; null: none. False: as `start_thread`.
bool HookThreads::Shared::start_worker(const RunConf& run_conf, const WorkerPtr& predecessor) {
    WorkerPtr worker;
    try {
        worker = std::make_shared<Worker>(*this);
        worker->predecessor = predecessor;
        starting.push_back(worker);
        if (start_thread([worker, run_conf](Shared& self) { self.work(worker, run_conf); }))
            return true;
    } catch (const std::bad_alloc&) {
        base::say_no_memory();
    }
    starting.remove(worker);
    return false;
}

/// Starts a thread that runs the conf again.
bool HookThreads::Shared::start_another(const WorkerPtr& predecessor) {
    try {
        return start_worker([conf = conf] { return conf->run_anew(); }, predecessor);
    } catch (const std::bad_alloc&) {
        base::say_no_memory();
        return false;
    }
}

/// What ends this function, an exception too, is reported by `leave`.
void HookThreads::Shared::work(const WorkerPtr& self, const RunConf& run_conf) {
    struct Leaving {
        ~Leaving() { shared.leave(self); }
        Shared& shared;
        const WorkerPtr& self;
    };
    const Leaving at_the_end{*this, self};
    const auto attached = interpreter.attach();
    self->attached = attached.get();
    Ran ran = run_on(self, run_conf);
    std::function<void()> begin;
    {
        const base::MutexLock lock(mutex);
        settle_run(*self);
        if (!join(self, std::move(ran))) return;
        changed.wait(mutex, [&]() REQUIRES(mutex) { return has_begun || is_closed || stopping; });
        begin = on_start;
    }
    if (!begin) return;
    begin();
    {
        // A thread starts with the privileges of the one that makes it: this one has dropped them.
        const base::MutexLock lock(mutex);
        start_missing(base::Clock::now());
    }
    attached->serve(*self);
}

HookThreads::Shared::Ran HookThreads::Shared::run_on(const WorkerPtr& self,
                                                     const RunConf& run_conf) {
    if (!self->event)
        return base::Error{
            "its thread can't be told of requests: " + base::system_error_text(errno), path,
            base::descriptors_remedy};
    const auto began = base::Clock::now();
    {
        const base::MutexLock lock(mutex);
        self->number = self->attached->number();
        if (first.is_over) self->run_until = began + std::max(run_time, 4 * first.took);
        watch.notify_all();
    }
    const base::ZeroizedHeap wiped;  // zeroizes all memory that held the conf's text
    auto ran = run_conf();
    const base::MutexLock lock(mutex);
    if (!first.is_over) first.took = base::Clock::now() - began;
    return ran;
}

/// Adds the worker after it has run the conf. False: it is not needed, or the conf could not be
/// run.
bool HookThreads::Shared::join(const WorkerPtr& self, Ran ran) {
    const WorkerPtr predecessor = self->predecessor;
    const bool is_needed = ran.has_value() && is_served() &&
                           (!predecessor || (predecessor->timed_out && !predecessor->is_replaced));
    if (is_needed) {
        self->conf = *ran;
        self->moved = base::Clock::now();
        if (!conf) conf = self->conf;
        if (predecessor) {
            predecessor->is_replaced = true;
            replaced.splice(replaced.end(), workers,
                            std::find(workers.begin(), workers.end(), predecessor));
        }
        workers.splice(workers.end(), starting, std::find(starting.begin(), starting.end(), self));
        self->predecessor.reset();
    } else {
        give_up(*self, retry_time());
        // With a conf that can be run only once there are fewer threads.
        if (ran.has_error() && !predecessor && !workers.empty())
            limits.threads = static_cast<unsigned>(workers.size());
    }
    base::survive_no_memory([&, is_first = !first.is_over] {
        if (ran.has_error() && !is_first)
            base::log::error("the conf could not be run on another thread: {}", ran.error().text());
        if (is_needed && predecessor)
            base::log::error(
                "{}: code of the conf does not return: the conf was run again on another thread",
                path);
    });
    if (!first.is_over) {
        first.is_over = true;
        first.ran = std::move(ran);
        changed.notify_all();
    }
    return is_needed;
}

/// The worker does not serve: after the pause, another thread may run the conf in its place.
void HookThreads::Shared::give_up(Worker& self, base::Duration pause) {
    if (std::exchange(self.is_given_up, true)) return;
    const auto at = base::Clock::now() + pause;
    if (self.predecessor) {
        self.predecessor->has_successor = false;
        self.predecessor->replace_at = at;
    } else {
        grow_at = at;
    }
    watch.notify_all();
}

/// The end of a worker's thread. It does nothing for which memory could be missing.
void HookThreads::Shared::leave(const WorkerPtr& self) {
    std::shared_ptr<const Conf> own;  // destroyed on its own thread, without the mutex
    const base::MutexLock lock(mutex);
    own.swap(self->conf);
    self->timed_out = false;  // a successor is not needed
    if (std::find(starting.begin(), starting.end(), self) != starting.end())
        give_up(*self, retry_time());
    for (Workers* list : {&starting, &workers, &replaced}) list->remove(self);
    self->predecessor.reset();
    first.is_over = true;
    changed.notify_all();
    watch.notify_all();
    to_interrupt_is_there.notify_all();
    const base::MutexUnlock unlocked(mutex);
    own.reset();
}

Jobs::Took HookThreads::Shared::run_next(Worker& self) {
    {
        const base::MutexLock lock(mutex);
        self.is_idle = false;
        if (std::exchange(self.timed_out, false)) watch.notify_all();
        settle_interrupt(self);
        if (self.is_replaced || stopping || (is_closed && queue.empty())) return Jobs::Took::closed;
        if (queue.empty()) {
            self.is_idle = true;
            return Jobs::Took::none;
        }
        self.job = std::move(queue.front());
        queue.pop_front();
        self.moved = base::Clock::now();
    }
    base::survive_no_memory([&] { self.job->run(*self.conf); });
    std::shared_ptr<HookJob> done;  // destroyed without the mutex, since it may own large objects
    {
        const base::MutexLock lock(mutex);
        settle_interrupt(self);
        done.swap(self.job);
    }
    return Jobs::Took::job;
}

/// Clears an interrupt, so that it does not hit the next job. Releases the interpreter's lock
/// meanwhile, because an interrupt in progress needs it.
void HookThreads::Shared::settle_interrupt(Worker& self) {
    if (!self.interrupting && !self.interrupted) return;
    const base::MutexUnlock unlocked(mutex);
    self.attached->unlocked([&] {
        const base::MutexLock lock(mutex);
        changed.wait(mutex, [&] { return !self.interrupting; });
        self.interrupted = false;
    });
    self.attached->clear_interrupt();
}

/// As `settle_interrupt`, when the run of the conf is over.
void HookThreads::Shared::settle_run(Worker& self) {
    self.run_until = base::TimePoint::max();
    self.timed_out = false;
    changed.wait(mutex, [&]() REQUIRES(mutex) { return !self.interrupting; });
    if (!std::exchange(self.interrupted, false)) return;
    const base::MutexUnlock unlocked(mutex);
    self.attached->clear_interrupt();
}

}  // namespace sftdyn::python
