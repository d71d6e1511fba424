// SPDX-License-Identifier: GPL-3.0-or-later
// The time, and timers, for code on an event loop.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/clock.hpp"

namespace sftdyn::base {

/// Calls a function at a set time. Owned by the object that waits; used on the event loop's thread.
/// After destruction it calls nothing.
class Timer {
public:
    using Expired = std::function<void()>;

    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() = default;

    /// Calls `expired` once at `at`, or as soon as possible after it, never from within `set`.
    /// Replaces the previous setting.
    virtual void set(TimePoint at, Expired expired) = 0;
    /// Cancels the setting.
    virtual void cancel() = 0;
};

/// The current time, and timers that follow it. Used on the event loop's thread.
class TimeSource {
public:
    TimeSource() = default;
    TimeSource(const TimeSource&) = delete;
    TimeSource& operator=(const TimeSource&) = delete;
    virtual ~TimeSource() = default;

    [[nodiscard]] virtual TimePoint now() const = 0;
    /// A new timer that is not set.
    [[nodiscard]] virtual std::unique_ptr<Timer> timer() = 0;
};

/// Shared by all users of the same clock.
using TimeSourcePtr = std::shared_ptr<TimeSource>;

/// The system's steady clock. `io` runs the expired timers' functions, and outlives the timers.
[[nodiscard]] TimeSourcePtr system_time(boost::asio::io_context& io);

}  // namespace sftdyn::base
