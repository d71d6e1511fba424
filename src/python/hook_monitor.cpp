// SPDX-License-Identifier: GPL-3.0-or-later
// The threads that watch the threads of a conf: the monitor and the interrupter. Each of their
// rounds may lack memory; the next one tries again.
#include <algorithm>
#include <new>
#include <utility>

#include "base/thread.hpp"
#include "python/hook_threads_state.hpp"

namespace sftdyn::python {
namespace {

// The limit of threads. Threads whose code never returns stay; when there are this many, they are
// no longer replaced.
constexpr std::size_t most_threads = 64;
// The pause after a round that lacked memory.
constexpr auto no_memory_pause = std::chrono::milliseconds(100);

/// `Interpreter::interrupt` is in progress, for as long as it lives. With the mutex held.
class Interrupting {
public:
    Interrupting(bool& is_so, base::Condition& changed) : is_so_(is_so), changed_(changed) {
        is_so_ = true;
    }
    ~Interrupting() {
        is_so_ = false;
        changed_.notify_all();
    }
    Interrupting(const Interrupting&) = delete;
    Interrupting& operator=(const Interrupting&) = delete;

private:
    bool& is_so_;
    base::Condition& changed_;
};

}  // namespace

/// Times jobs out, and replaces threads that do not return.
void HookThreads::Shared::monitor() {
    const base::MutexLock lock(mutex);
    while (!stopping && !(is_closed && queue.empty() && workers.empty())) {
        try {
            watch_once();
        } catch (const std::bad_alloc&) {
            base::say_no_memory();
            watch.wait_for(mutex, no_memory_pause);
        }
    }
    has_monitor = false;
}

void HookThreads::Shared::watch_once() {
    if (!ended.empty()) return join_ended();
    const auto now = base::Clock::now();
    for (const WorkerPtr& worker : starting) watch_run(*worker, now);
    for (const WorkerPtr& worker : workers) replace(worker, now);
    if (auto late = take_late(now)) {
        const base::MutexUnlock unlocked(mutex);
        base::survive_no_memory([&] { late->on_timeout(); });
        late.reset();
        return;
    }
    start_missing(now);
    start_interrupter();
    monitor_wakes = next_deadline();
    watch.wait_for(mutex, std::min<base::Duration>(monitor_wakes - now, std::chrono::hours(1)));
}

/// Joins the threads that have ended, so that the system frees their stacks.
void HookThreads::Shared::join_ended() {
    std::list<std::thread> joined;
    joined.swap(ended);
    const base::MutexUnlock unlocked(mutex);
    for (std::thread& thread : joined) thread.join();
}

/// Marks the threads that are late, and returns the next job that has passed its deadline; null:
/// none.
std::shared_ptr<HookJob> HookThreads::Shared::take_late(base::TimePoint now) {
    const bool nobody_comes = !queue.empty() && queue.front()->deadline() <= now;
    for (const WorkerPtr& worker : workers) {
        if (worker->timed_out || worker->is_idle) continue;
        if (worker->job && worker->job->deadline() <= now) {
            on_late(*worker, now);
            return worker->job;
        }
        if (!worker->job && nobody_comes && now - worker->moved >= interrupt_time)
            on_late(*worker, now);  // asyncio code keeps it busy
    }
    if (!nobody_comes) return nullptr;
    auto late = std::move(queue.front());
    queue.pop_front();
    return late;
}

void HookThreads::Shared::on_late(Worker& worker, base::TimePoint now) {
    worker.timed_out = true;
    worker.replace_at = now + interrupt_time;
    worker.to_interrupt = true;
    start_interrupter();
    to_interrupt_is_there.notify_one();
}

void HookThreads::Shared::replace(const WorkerPtr& worker, base::TimePoint now) {
    if (!worker->timed_out || worker->has_successor || worker->replace_at > now || !is_served())
        return;
    worker->has_successor = threads < most_threads && start_another(worker);
    if (!worker->has_successor) worker->replace_at = now + retry_time();
}

/// Interrupts a thread that runs the conf again for too long, and then lets another one try. The
/// more of them hang, the longer is the pause. While the interrupter waits for the interpreter's
/// lock, another thread would wait for it too.
void HookThreads::Shared::watch_run(Worker& worker, base::TimePoint now) {
    if (worker.is_given_up || worker.run_until > now) return;
    if (!worker.timed_out) return on_late(worker, now);
    if (worker.replace_at > now || worker.to_interrupt || worker.interrupting) return;
    const auto hanging =
        1 + std::count_if(starting.begin(), starting.end(),
                          [](const WorkerPtr& other) { return other->is_given_up; });
    give_up(worker, hanging * retry_time());
}

/// Whether jobs are, or will be, run here: those of a conf that another has replaced only as long
/// as some wait, since its code would act beside that of the other.
bool HookThreads::Shared::is_served() const {
    return !stopping && (!(is_retired || is_closed) || !queue.empty());
}

/// Whether there are fewer threads than there should be, counting those that run the conf.
bool HookThreads::Shared::is_missing() const {
    if (!has_begun || !is_served()) return false;
    const auto coming = std::count_if(starting.begin(), starting.end(),
                                      [](const WorkerPtr& worker) { return !worker->is_given_up; });
    const std::size_t wanted = is_retired || is_closed ? 1 : limits.threads;
    return workers.size() + static_cast<std::size_t>(coming) < wanted;
}

void HookThreads::Shared::start_missing(base::TimePoint now) {
    if (!is_missing() || now < grow_at) return;
    if (threads >= most_threads || !start_another(nullptr)) grow_at = now + retry_time();
}

base::TimePoint HookThreads::Shared::next_deadline() {
    auto next = base::TimePoint::max();
    if (!queue.empty()) next = queue.front()->deadline();
    if (is_missing()) next = std::min(next, grow_at);
    if (!has_interrupter && next_to_interrupt())
        next = std::min(next, base::Clock::now() + retry_time());
    for (const WorkerPtr& worker : workers) {
        if (worker->timed_out) {
            if (!worker->has_successor && is_served()) next = std::min(next, worker->replace_at);
        } else if (worker->job) {
            next = std::min(next, worker->job->deadline());
        }
    }
    for (const WorkerPtr& worker : starting) {
        if (worker->is_given_up || worker->to_interrupt || worker->interrupting) continue;
        next = std::min(next, worker->timed_out ? worker->replace_at : worker->run_until);
    }
    return next;
}

void HookThreads::Shared::start_interrupter() {
    if (has_interrupter || !next_to_interrupt()) return;
    has_interrupter = start_thread([](Shared& self) { self.interrupt(); });
}

/// Runs on its own thread, because it needs the interpreter's lock, which a hook may hold
/// indefinitely.
void HookThreads::Shared::interrupt() {
    std::unique_ptr<Attached> attached;  // one state of the interpreter for all interrupts
    const base::MutexLock lock(mutex);
    for (;;) {
        to_interrupt_is_there.wait(mutex, [this]() REQUIRES(mutex) {
            return next_to_interrupt() || stopping ||
                   (is_closed && workers.empty() && starting.empty());
        });
        const WorkerPtr worker = next_to_interrupt();
        if (!worker) break;
        try {
            if (!attached) {
                const base::MutexUnlock unlocked(mutex);
                attached = interpreter.attach();
            }
            interrupt(*worker);
        } catch (const std::bad_alloc&) {
            base::say_no_memory();
            to_interrupt_is_there.wait_for(mutex, no_memory_pause);
        }
    }
    has_interrupter = false;
}

void HookThreads::Shared::interrupt(Worker& worker) {
    if (worker.timed_out || (stopping && worker.job)) {
        const Interrupting in_progress(worker.interrupting, changed);
        worker.interrupted = true;
        const base::MutexUnlock unlocked(mutex);
        interpreter.interrupt(worker.number);
    }
    worker.to_interrupt = false;
    watch.notify_all();
}

HookThreads::Shared::WorkerPtr HookThreads::Shared::next_to_interrupt() const {
    for (const Workers* list : {&workers, &starting, &replaced}) {
        const auto found = std::find_if(list->begin(), list->end(), [](const WorkerPtr& worker) {
            return worker->to_interrupt;
        });
        if (found != list->end()) return *found;
    }
    return nullptr;
}

}  // namespace sftdyn::python
