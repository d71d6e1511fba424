// SPDX-License-Identifier: GPL-3.0-or-later
// A capability for what only one thread may do: Clang checks the callers, and builds with
// assertions check the thread.
#pragma once

#ifndef NDEBUG
#include <atomic>
#include <cassert>
#include <thread>
#endif

#include "base/thread_annotations.hpp"

namespace sftdyn::base {

/// The role of one thread, for example that of an event loop. What belongs to that thread is marked
/// GUARDED_BY or REQUIRES. Clang can't follow a call from an event loop, so such code begins with
/// `assert_held`. While no thread is bound, any thread passes. Thread-safe; empty in builds without
/// assertions.
class CAPABILITY("thread role") ThreadRole {
public:
    ThreadRole() = default;
    ThreadRole(const ThreadRole&) = delete;
    ThreadRole& operator=(const ThreadRole&) = delete;

#ifdef NDEBUG
    void assert_held() const ASSERT_CAPABILITY(this) {}
#else
    /// Aborts when another thread has the role.
    void assert_held() const ASSERT_CAPABILITY(this) {
        const std::thread::id bound = thread_.load();
        assert((bound == std::thread::id() || bound == std::this_thread::get_id()) &&
               "called on another thread than the one whose role it is");
    }
#endif

    /// Binds the role to the thread that constructs it, until destruction. One at a time.
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
