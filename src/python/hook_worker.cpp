// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that runs a conf and its hooks.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/system_error.hpp"
#include "base/thread.hpp"
#include "base/zeroized_heap.hpp"
#include "python/hook_threads_state.hpp"

namespace sftdyn::python {
namespace {

// The pause before a conf is run again after a failure.
constexpr auto retry_run_time = std::chrono::seconds(5);

}  // namespace

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

/// False: the system can't create a thread.
bool HookThreads::Shared::start_thread(std::function<void(Shared&)> body) {
    started.reserve(started.size() + 1);
    auto thread = base::start_thread([self = shared_from_this(), body = std::move(body)]() mutable {
        base::survive_no_memory([&] { body(*self); });
        body = nullptr;  // destroys what it owns on this thread
        const base::MutexLock lock(self->mutex);
        --self->threads;
        self->changed.notify_all();
    });
    if (!thread) return false;
    ++threads;
    if (is_closed) {
        thread->detach();
    } else {
        started.push_back(std::move(*thread));
    }
    return true;
}

/// `predecessor` is the thread to replace; null: none.
bool HookThreads::Shared::start_worker(RunConf run_conf, WorkerPtr predecessor) {
    auto worker = std::make_shared<Worker>(*this);
    return start_thread([worker = std::move(worker), run_conf = std::move(run_conf),
                         predecessor = std::move(predecessor)](Shared& self) {
        self.work(worker, run_conf, predecessor);
    });
}

void HookThreads::Shared::work(const WorkerPtr& self, const RunConf& run_conf,
                               const WorkerPtr& predecessor) {
    const auto attached = interpreter.attach();
    auto ran = [&]() -> HookThreads::Shared::Ran {
        if (!self->event)
            return base::Error{
                "its thread can't be told of requests: " + base::system_error_text(errno), path,
                base::descriptors_remedy};
        const base::ZeroizedHeap wiped;  // zeroizes all memory that held the conf's text
        return run_conf();
    }();
    std::function<void()> begin;
    {
        const base::MutexLock lock(mutex);
        self->number = attached->number();
        if (!join(self, std::move(ran), predecessor)) return;
        changed.wait(mutex, [&]() REQUIRES(mutex) { return has_begun || is_closed || stopping; });
        begin = on_start;
    }
    if (begin) {
        begin();
        {
            // A thread starts with the privileges of the one that makes it: this one has dropped
            // them.
            const base::MutexLock lock(mutex);
            if (has_begun && workers.size() < limits.threads && !is_closed)
                start_worker([conf = conf] { return conf->run_anew(); }, nullptr);
        }
        self->attached = attached.get();
        attached->serve(*self);
    }
    std::shared_ptr<const Conf> own;  // destroyed on its own thread
    const base::MutexLock lock(mutex);
    own.swap(self->conf);
    workers.remove(self);
    watch.notify_all();
    to_interrupt_is_there.notify_all();
    const base::MutexUnlock unlocked(mutex);
    own.reset();
}

/// Adds the worker after it has run the conf. False: it is not needed, or the conf could not be
/// run.
bool HookThreads::Shared::join(const WorkerPtr& self, Ran ran, const WorkerPtr& predecessor) {
    if (predecessor) predecessor->has_successor = false;
    if (ran.has_error()) {
        if (predecessor) predecessor->replace_at = base::Clock::now() + retry_run_time;
        if (first.is_over)
            base::log::error("the conf could not be run on another thread: {}", ran.error().text());
        watch.notify_all();
    } else {
        self->conf = *ran;
        const bool is_needed = !predecessor || predecessor->timed_out;
        if (predecessor && is_needed) {
            predecessor->is_replaced = true;
            workers.remove(predecessor);
            base::log::error(
                "{}: code of the conf does not return: the conf was run again on another thread",
                path);
        }
        if (is_needed) workers.push_back(self);
        if (!conf) conf = self->conf;
    }
    const bool is_in = !workers.empty() && workers.back() == self;
    if (!first.is_over) {
        first.is_over = true;
        first.ran = std::move(ran);
        changed.notify_all();
    }
    return is_in;
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

}  // namespace sftdyn::python
