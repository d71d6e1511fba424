// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/hook_threads.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

#include "base/thread.hpp"
#include "python/hook_threads_state.hpp"

namespace sftdyn::python {
namespace {

// The limit of threads. Threads whose code never returns stay; when there are this many, they are
// no longer replaced.
constexpr std::size_t most_threads = 64;
// The pause before retrying to replace a thread, after there was none.
constexpr auto retry_time = std::chrono::seconds(5);

}  // namespace

/// Times jobs out, and replaces threads that do not return.
void HookThreads::Shared::monitor() {
    const base::MutexLock lock(mutex);
    while (!stopping && !(is_closed && workers.empty())) {
        const auto now = base::Clock::now();
        auto timed_out = time_out(now);
        for (const WorkerPtr& worker : std::list<WorkerPtr>(workers)) replace(worker, now);
        if (!timed_out.empty()) {
            const base::MutexUnlock unlocked(mutex);
            for (const auto& job : timed_out) base::survive_no_memory([&] { job->on_timeout(); });
            timed_out.clear();
            continue;
        }
        monitor_wakes = next_deadline();
        watch.wait_for(mutex, std::min<base::Duration>(monitor_wakes - now, std::chrono::hours(1)));
    }
}

/// Returns the jobs that have passed their deadlines.
std::vector<std::shared_ptr<HookJob>> HookThreads::Shared::time_out(base::TimePoint now) {
    std::vector<std::shared_ptr<HookJob>> timed_out;
    while (!queue.empty() && queue.front()->deadline() <= now) {
        timed_out.push_back(std::move(queue.front()));
        queue.pop_front();
    }
    const bool nobody_comes = !timed_out.empty();
    for (const WorkerPtr& worker : workers) {
        if (worker->timed_out || worker->is_idle) continue;
        if (worker->job && worker->job->deadline() <= now) {
            timed_out.push_back(worker->job);
            on_late(worker, now);
        } else if (!worker->job && nobody_comes && now - worker->moved >= interrupt_time) {
            on_late(worker, now);  // asyncio code keeps it busy
        }
    }
    return timed_out;
}

void HookThreads::Shared::on_late(const WorkerPtr& worker, base::TimePoint now) {
    worker->timed_out = true;
    worker->replace_at = now + interrupt_time;
    to_interrupt.push_back(worker);
    if (!has_interrupter) has_interrupter = start_thread([](Shared& self) { self.interrupt(); });
    to_interrupt_is_there.notify_one();
}

void HookThreads::Shared::replace(const WorkerPtr& worker, base::TimePoint now) {
    if (!worker->timed_out || worker->has_successor || worker->replace_at > now) return;
    worker->has_successor =
        threads < most_threads && start_worker([conf = conf] { return conf->run_anew(); }, worker);
    if (!worker->has_successor) worker->replace_at = now + retry_time;
}

base::TimePoint HookThreads::Shared::next_deadline() {
    auto next = base::TimePoint::max();
    if (!queue.empty()) next = queue.front()->deadline();
    for (const WorkerPtr& worker : workers) {
        if (worker->timed_out) {
            if (!worker->has_successor) next = std::min(next, worker->replace_at);
        } else if (worker->job) {
            next = std::min(next, worker->job->deadline());
        }
    }
    return next;
}

/// Runs on its own thread, because it needs the interpreter's lock, which a hook may hold
/// indefinitely.
void HookThreads::Shared::interrupt() {
    const base::MutexLock lock(mutex);
    for (;;) {
        to_interrupt_is_there.wait(mutex, [this]() REQUIRES(mutex) {
            return !to_interrupt.empty() || stopping || (is_closed && workers.empty());
        });
        if (to_interrupt.empty()) return;
        const WorkerPtr worker = std::move(to_interrupt.front());
        to_interrupt.pop_front();
        if (!worker->timed_out && !(stopping && worker->job)) continue;
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

void HookThreads::Shared::wake_all() {
    for (const auto& worker : workers) worker->wake();
    changed.notify_all();
    watch.notify_all();
    to_interrupt_is_there.notify_all();
}

void HookThreads::Shared::close() {
    const base::MutexLock lock(mutex);
    is_closed = true;
    for (std::thread& thread : started) thread.detach();
    started.clear();
    wake_all();
}

bool HookThreads::Shared::stop(base::Duration patience) {
    const base::MutexLock lock(mutex);
    stopping = true;
    std::deque<std::shared_ptr<HookJob>> undone;
    undone.swap(queue);
    for (const auto& worker : workers) {
        if (worker->job) to_interrupt.push_back(worker);
    }
    if (!to_interrupt.empty() && !has_interrupter)
        has_interrupter = start_thread([](Shared& self) { self.interrupt(); });
    wake_all();
    {
        const base::MutexUnlock unlocked(mutex);
        for (const auto& job : undone) base::survive_no_memory([&] { job->on_timeout(); });
        undone.clear();
    }
    const bool all =
        changed.wait_for(mutex, patience, [&]() REQUIRES(mutex) { return threads == 0; });
    auto ended = std::exchange(started, {});
    const base::MutexUnlock unlocked(mutex);
    // Joins the threads, so that their thread-local data of libraries is destroyed before the
    // process ends.
    for (std::thread& thread : ended) all ? thread.join() : thread.detach();
    return all;
}

HookThreads::HookThreads(std::shared_ptr<Shared> state) : state_(std::move(state)) {}

HookThreads::~HookThreads() {
    // A forked process has a copy of this object without the threads.
    if (getpid() != state_->process) {
        static_cast<void>(new (std::nothrow) std::shared_ptr<Shared>(std::move(state_)));
        return;
    }
    bool has_begun = false;
    {
        const base::MutexLock lock(state_->mutex);
        has_begun = state_->has_begun;
    }
    if (has_begun) {
        state_->close();
    } else {
        static_cast<void>(state_->stop(std::chrono::minutes(1)));  // its threads run no Python code
    }
}

base::Result<std::unique_ptr<HookThreads>> HookThreads::start(Interpreter& interpreter,
                                                              std::string path,
                                                              base::Duration interrupt_time) {
    auto state = std::make_shared<Shared>(interpreter, std::move(path), interrupt_time);
    std::unique_ptr<HookThreads> made(new HookThreads(state));
    const base::MutexLock lock(state->mutex);
    const auto run = [&interpreter, path = state->path] { return interpreter.run(path); };
    if (!state->start_worker(run, nullptr))
        return base::Error{"there is no thread for it", state->path,
                           "let the service have more threads (TasksMax=, ulimit -u)"};
    state->changed.wait(state->mutex,
                        [&]() REQUIRES(state->mutex) { return state->first.is_over; });
    const Shared::Ran ran = std::move(*state->first.ran);
    state->first.ran.reset();
    const base::MutexUnlock unlocked(state->mutex);
    if (ran.has_error()) return ran.error();
    return made;
}

std::shared_ptr<const Conf> HookThreads::conf() const {
    const base::MutexLock lock(state_->mutex);
    return state_->conf;
}

void HookThreads::begin(const HookLimits& limits, std::function<void()> on_start) {
    const base::MutexLock lock(state_->mutex);
    state_->limits = limits;
    state_->on_start = std::move(on_start);
    state_->has_begun = true;
    state_->changed.notify_all();
}

bool HookThreads::run(std::shared_ptr<HookJob> job) {
    Shared& state = *state_;
    const base::MutexLock lock(state.mutex);
    if (state.stopping || state.queue.size() >= state.limits.queue) return false;
    if (!state.has_monitor)
        state.has_monitor = state.start_thread([](Shared& self) { self.monitor(); });
    if (!state.has_monitor) return false;
    const auto deadline = job->deadline();
    // Keeps the queue sorted by deadline, since the monitor waits for the first. Jobs arrive in
    // this order, except after a change of the configuration.
    auto place = state.queue.end();
    while (place != state.queue.begin() && deadline < (*std::prev(place))->deadline()) --place;
    state.queue.insert(place, std::move(job));
    const auto idle = std::find_if(state.workers.begin(), state.workers.end(),
                                   [](const auto& worker) { return worker->is_idle; });
    if (idle != state.workers.end()) (*idle)->wake();
    if (deadline < state.monitor_wakes) {
        state.monitor_wakes = deadline;
        state.watch.notify_one();
    }
    return true;
}

namespace {

/// A job of a command.
class CommandJob : public HookJob {
public:
    CommandJob(std::function<void(const Conf&)> what, base::TimePoint deadline)
        : what_(std::move(what)), deadline_(deadline) {}
    void run(const Conf& conf) override {
        what_(conf);
        end(true);
    }
    void on_timeout() override { end(false); }
    base::TimePoint deadline() const override { return deadline_; }

    bool wait() {
        const base::MutexLock lock(mutex_);
        ended_.wait(mutex_, [this]() REQUIRES(mutex_) { return returned_.has_value(); });
        return *returned_;
    }

private:
    void end(bool returned) {
        const base::MutexLock lock(mutex_);
        if (!returned_) returned_ = returned;
        ended_.notify_all();
    }

    const std::function<void(const Conf&)> what_;
    const base::TimePoint deadline_;
    base::Mutex mutex_{};
    base::Condition ended_{};
    std::optional<bool> returned_ GUARDED_BY(mutex_){};
};

}  // namespace

bool HookThreads::call(const std::function<void(const Conf&)>& what, base::Duration patience) {
    begin({.queue = 1});
    const auto job = std::make_shared<CommandJob>(what, base::Clock::now() + patience);
    return run(job) && job->wait() && stopper().stop(patience);
}

HookThreads::Stopper HookThreads::stopper() const { return Stopper(state_); }

bool HookThreads::Stopper::stop(base::Duration patience) const { return state_->stop(patience); }

bool HookThreads::Stopper::is_over() const {
    const base::MutexLock lock(state_->mutex);
    return state_->threads == 0;
}

}  // namespace sftdyn::python
