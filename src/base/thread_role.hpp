// SPDX-License-Identifier: GPL-3.0-or-later
// What only one thread may do, as a capability: Clang checks who asks for it, and builds with
// assertions check the thread.
#pragma once

#ifndef NDEBUG
#include <atomic>
#include <cassert>
#include <thread>
#endif

#include "base/thread_annotations.hpp"

namespace sftdyn::base {

/// A part that one thread plays, for example that of an event loop. What belongs to that thread
/// says so with GUARDED_BY and REQUIRES. Code that an event loop calls, and that Clang can't follow
/// to there, begins with `assert_held`. While no thread is bound, any may do it. Thread-safe; empty
/// in builds without assertions.
class CAPABILITY("thread role") ThreadRole {
public:
    ThreadRole() = default;
    ThreadRole(const ThreadRole&) = delete;
    ThreadRole& operator=(const ThreadRole&) = delete;

#ifdef NDEBUG
    void assert_held() const ASSERT_CAPABILITY(this) {}
#else
    /// Ends the program if the role is another thread's.
    void assert_held() const ASSERT_CAPABILITY(this) {
        const std::thread::id bound = thread_.load();
        assert((bound == std::thread::id() || bound == std::this_thread::get_id()) &&
               "called on another thread than the one whose role it is");
    }
#endif

    /// The thread that makes it has the role until it goes. One at a time.
    class SCOPED_CAPABILITY Binding {
    public:
#ifdef NDEBUG
        explicit Binding(ThreadRole& role) ACQUIRE(role) { static_cast<void>(role); }
        ~Binding() RELEASE() {}
#else
        explicit Binding(ThreadRole& role) ACQUIRE(role) : role_(role) {
            const std::thread::id before = role_.thread_.exchange(std::this_thread::get_id());
            assert(before == std::thread::id() && "the role has a thread already");
        }
        ~Binding() RELEASE() { role_.thread_.store({}); }
#endif
        Binding(const Binding&) = delete;
        Binding& operator=(const Binding&) = delete;

#ifndef NDEBUG
    private:
        ThreadRole& role_;
#endif
    };

#ifndef NDEBUG
private:
    std::atomic<std::thread::id> thread_{};
#endif
};

}  // namespace sftdyn::base
