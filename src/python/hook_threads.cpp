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
void HookThreads::Shared::wake_all() {
    for (const auto& worker : workers) worker->wake();
    changed.notify_all();
    watch.notify_all();
    to_interrupt_is_there.notify_all();
}

void HookThreads::Shared::retire() {
    const base::MutexLock lock(mutex);
    is_retired = true;
}

void HookThreads::Shared::close() {
    const base::MutexLock lock(mutex);
    is_closed = true;
    if (queue.empty()) {
        for (const WorkerPtr& worker : starting) worker->timed_out = worker->to_interrupt = true;
        start_interrupter();
    }
    is_let_go = true;
    for (auto* threads_of : {&started, &ended}) {
        for (std::thread& thread : *threads_of) thread.detach();
        threads_of->clear();
    }
    wake_all();
}

/// Gives up the jobs that wait.
void HookThreads::Shared::drop_queue() {
    while (!queue.empty()) {
        auto job = std::move(queue.front());
        queue.pop_front();
        const base::MutexUnlock unlocked(mutex);
        base::survive_no_memory([&] { job->on_timeout(); });
        job.reset();
    }
}

bool HookThreads::Shared::stop(base::Duration patience) {
    const base::MutexLock lock(mutex);
    stopping = true;
    for (const WorkerPtr& worker : workers) worker->to_interrupt = worker->job != nullptr;
    for (const WorkerPtr& worker : starting) worker->timed_out = worker->to_interrupt = true;
    start_interrupter();
    wake_all();
    drop_queue();
    const bool all =
        changed.wait_for(mutex, patience, [&]() REQUIRES(mutex) { return threads == 0; });
    is_let_go = true;
    std::list<std::thread> gone;
    gone.splice(gone.end(), started);
    gone.splice(gone.end(), ended);
    const base::MutexUnlock unlocked(mutex);
    // Joins the threads, so that their thread-local data of libraries is destroyed before the
    // process ends.
    for (std::thread& thread : gone) all ? thread.join() : thread.detach();
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
        static_cast<void>(state_->stop(std::chrono::minutes(1)));  // its threads run no hook
    }
}

base::Result<std::unique_ptr<HookThreads>> HookThreads::start(Interpreter& interpreter,
                                                              std::string path,
                                                              base::Duration interrupt_time,
                                                              base::Duration run_time) {
    auto state = std::make_shared<Shared>(interpreter, std::move(path), interrupt_time, run_time);
    std::unique_ptr<HookThreads> made(new HookThreads(state));
    const base::MutexLock lock(state->mutex);
    const auto run = [&interpreter, path = state->path] { return interpreter.run(path); };
    if (!state->start_worker(run, nullptr))
        return base::Error{"there is no thread for it", state->path,
                           "let the service have more threads (TasksMax=, ulimit -u)"};
    state->changed.wait(state->mutex,
                        [&]() REQUIRES(state->mutex) { return state->first.is_over; });
    const Shared::Ran ran = state->first.ran
                                ? std::move(*state->first.ran)
                                : base::Error{"there is not enough memory for its thread",
                                              state->path, "look at MemoryMax= of the service"};
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

void HookThreads::retire() { state_->retire(); }

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
    // In place of a retired thread that hangs, another is needed only once a job waits.
    if (deadline < state.monitor_wakes || state.is_retired) {
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
