// SPDX-License-Identifier: GPL-3.0-or-later
// The time, and being called when it has come, for what runs on an event loop.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/clock.hpp"

namespace sftdyn::base {

/// Calls back when its time has come. Owned by whoever waits, and used on the event loop's thread.
/// When it goes, it calls nobody.
class Timer {
public:
    using Expired = std::function<void()>;

    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() = default;

    /// `expired` is called once at `at`, or as soon as may be, and never from within this. What was
    /// set before is dropped.
    virtual void set(TimePoint at, Expired expired) = 0;
    /// Drops what was set.
    virtual void cancel() = 0;
};

/// What the time is, and timers that go by it. Used on the event loop's thread.
class TimeSource {
public:
    TimeSource() = default;
    TimeSource(const TimeSource&) = delete;
    TimeSource& operator=(const TimeSource&) = delete;
    virtual ~TimeSource() = default;

    [[nodiscard]] virtual TimePoint now() const = 0;
    /// One that is not set.
    [[nodiscard]] virtual std::unique_ptr<Timer> timer() = 0;
};

/// Shared by all that measure the same time.
using TimeSourcePtr = std::shared_ptr<TimeSource>;

/// The system's steady clock. What expires is called by `io`, which outlives the timers.
[[nodiscard]] TimeSourcePtr system_time(boost::asio::io_context& io);

}  // namespace sftdyn::base
