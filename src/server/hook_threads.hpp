// SPDX-License-Identifier: GPL-3.0-or-later
// Threads for code that may take its time, or never return: the hooks of a Python conf.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "python/conf.hpp"

namespace sftdyn::server {

/// How many requests may wait, and how many threads there may be.
struct HookLimits {
    std::size_t queue{};    ///< that wait for a thread; what is usual says the configuration
    unsigned threads = 64;  ///< at the most, those that never come back among them
};

/// Hooks hold the interpreter's lock, so that more threads make quick ones only slower: one thread
/// does all the work, until it is seen not to come back at once; then the next is called. A thread
/// whose work has timed out is left to itself. Owned by `HookHandler`. Thread-safe.
class HookThreads {
public:
    using Work = std::function<void()>;

    HookThreads(python::Interpreter& interpreter, const HookLimits& limits);
    ~HookThreads();
    HookThreads(const HookThreads&) = delete;
    HookThreads& operator=(const HookThreads&) = delete;

    /// Runs `work` on one of the threads. When that has not returned by the deadline, `on_timeout`
    /// is called, and what it runs in Python is interrupted. False: too many wait already, or there
    /// is no thread, and the system gives none.
    [[nodiscard]] bool run(Work work, Work on_timeout, base::TimePoint deadline);

    /// Interrupts what is still under way, and waits for it. False: some does not return; then the
    /// process can't be ended in the ordinary way.
    [[nodiscard]] bool stop(base::Duration patience);

private:
    struct Shared;
    std::shared_ptr<Shared> state_;  ///< shared with threads that never come back
};

}  // namespace sftdyn::server
