// SPDX-License-Identifier: GPL-3.0-or-later
// The standard mutex, lock and condition variable, with annotations for Clang's thread safety
// analysis (base/thread_annotations.hpp).
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/clock.hpp"
#include "base/thread_annotations.hpp"

namespace sftdyn::base {

/// Held by one thread at a time. The data that it guards is marked GUARDED_BY.
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

/// Releases a held mutex for as long as it lives, and reacquires it on destruction.
class SCOPED_CAPABILITY MutexUnlock {
public:
    explicit MutexUnlock(Mutex& mutex) RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
    ~MutexUnlock() RELEASE() { mutex_.lock(); }  // for Clang: undoes the constructor
    MutexUnlock(const MutexUnlock&) = delete;
    MutexUnlock& operator=(const MutexUnlock&) = delete;

private:
    Mutex& mutex_;
};

/// Lets a thread that holds a mutex wait for a condition. The mutex is released during the wait,
/// and held again when the wait returns or the predicate throws. A predicate is annotated with what
/// it reads: `[this]() REQUIRES(mutex_) { return done_; }`.
class Condition {
public:
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

    /// Waits until `is_so()` returns true.
    template <typename Predicate>
    void wait(Mutex& mutex, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        condition_.wait(held.lock, std::move(is_so));
    }

    /// Waits until `is_so()` returns true, or until the deadline. Returns the last result of
    /// `is_so()`.
    template <typename Predicate>
    bool wait_until(Mutex& mutex, TimePoint deadline, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        return condition_.wait_until(held.lock, deadline, std::move(is_so));
    }

    /// As `wait_until`, with a deadline that is `patience` from now.
    template <typename Predicate>
    bool wait_for(Mutex& mutex, Duration patience, Predicate is_so) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        return condition_.wait_for(held.lock, patience, std::move(is_so));
    }

    /// Waits for a notification, for at most `patience`. May wake spuriously.
    void wait_for(Mutex& mutex, Duration patience) REQUIRES(mutex) {
        Held held(mutex.mutex_);
        condition_.wait_for(held.lock, patience);
    }

private:
    /// The mutex in the form that std::condition_variable takes. The caller owns it before and
    /// after.
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
