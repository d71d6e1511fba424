// SPDX-License-Identifier: GPL-3.0-or-later
// A mutex, its lock and its condition variable, as the standard's, with what Clang must know to
// check them (base/thread_annotations.hpp).
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/clock.hpp"
#include "base/thread_annotations.hpp"

namespace sftdyn::base {

/// Held by one thread at a time. What it guards says so with GUARDED_BY.
class CAPABILITY("mutex") Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    void lock() ACQUIRE() { mutex_.lock(); }
    void unlock() RELEASE() { mutex_.unlock(); }

private:
    friend class Condition;
    std::mutex mutex_;
};

/// Holds a mutex for as long as it lives.
class SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

/// Gives a held mutex back for as long as it lives, and takes it again then.
class SCOPED_CAPABILITY MutexUnlock {
public:
    explicit MutexUnlock(Mutex& mutex) RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
    ~MutexUnlock() RELEASE() { mutex_.lock(); }  // to Clang: undoes what the constructor did
    MutexUnlock(const MutexUnlock&) = delete;
    MutexUnlock& operator=(const MutexUnlock&) = delete;

private:
    Mutex& mutex_;
};

/// Lets threads that hold a mutex wait until something is so. The mutex is given back while they
/// wait, and held again when a wait returns, or the predicate throws. A predicate says what it
/// reads: `[this]() REQUIRES(mutex_) { return done_; }`.
class Condition {
public:
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

    /// Waits until `is_so()`.
    template <typename Predicate>
    void wait(Mutex& mutex, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        condition_.wait(held.lock, std::move(is_so));
    }

    /// Waits until `is_so()`, or the deadline. Returns whether it is so.
    template <typename Predicate>
    bool wait_until(Mutex& mutex, TimePoint deadline, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        return condition_.wait_until(held.lock, deadline, std::move(is_so));
    }

    /// As `wait_until`, with a deadline that is so far away.
    template <typename Predicate>
    bool wait_for(Mutex& mutex, Duration patience, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        return condition_.wait_for(held.lock, patience, std::move(is_so));
    }

    /// Waits until it is notified, or for so long; it may also return for no reason.
    void wait_for(Mutex& mutex, Duration patience) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        condition_.wait_for(held.lock, patience);
    }

private:
    /// The mutex as std::condition_variable takes it. It is the caller's before and after.
    struct Held {
        explicit Held(std::mutex& mutex) : lock(mutex, std::adopt_lock) {}
        ~Held() { lock.release(); }
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        std::unique_lock<std::mutex> lock;
    };

    std::condition_variable condition_;
};

}  // namespace sftdyn::base
