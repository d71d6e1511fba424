// SPDX-License-Identifier: GPL-3.0-or-later
// Sends events to the helper of the event command, as many as may run at once, and queues the
// others.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "server/event_command.hpp"
#include "server/event_queue.hpp"

namespace sftdyn::server {

/// The queue holds the newest state of each record, so its size is bounded by the number of hosts.
/// Commands of one record run in order, one at a time. A command that can't be started is retried,
/// first after a second, later after up to a minute. A command that was started and failed is not
/// retried.
class EventFeeder {
public:
    /// Called with each event whose command was run, after the command has ended.
    using OnRun = std::function<void(const Event&)>;
    /// `io` and `runner` outlive it. Used on the thread of `io`, unless a function says otherwise.
    EventFeeder(
        boost::asio::io_context& io, const EventCommand& runner,
        OnRun on_run = [](const Event&) {});
    /// Logs the events that were not run. To be called after `io` has stopped.
    ~EventFeeder();
    EventFeeder(const EventFeeder&) = delete;
    EventFeeder& operator=(const EventFeeder&) = delete;

    /// Adds an event. On any thread; never blocks.
    void tell(Event event);

    /// Drops the waiting events that `unwanted` selects. On any thread.
    void drop(const std::function<bool(const Event&)>& unwanted);

    /// Waits until every command that can be run has ended, or until the deadline. On any thread
    /// except that of `io`.
    void wait_until_idle(base::TimePoint deadline);

    /// The events whose commands have not ended: those in progress, then those waiting. To be
    /// called after `io` has stopped.
    [[nodiscard]] std::vector<Event> untold() const;
    /// The untold events were saved for the next start; the destructor's log message says so.
    void are_kept() { kept_ = true; }

    /// The outcomes of commands since the start.
    struct Counts {
        std::uint64_t succeeded = 0;  ///< status 0
        std::uint64_t failed = 0;     ///< another status or a signal
        std::uint64_t timed_out = 0;
        std::uint64_t not_run = 0;  ///< failed attempts to start a command
        std::uint64_t lost = 0;     ///< never run: the queue was full, or the name was not valid
        std::size_t waiting = 0;
    };
    [[nodiscard]] Counts counts() const;

private:
    void feed();
    [[nodiscard]] bool send(std::uint64_t id, const Event& event) REQUIRES(mutex_);
    void await_answers();
    [[nodiscard]] bool read_answers();
    [[nodiscard]] bool read_answers(std::vector<Event>& run);
    void ended(const Event& event, const EventAnswer& answer) REQUIRES(mutex_);
    void again(Event event, int error) REQUIRES(mutex_);
    void helper_is_gone() REQUIRES(mutex_);
    void feed_soon() REQUIRES(mutex_);

    boost::asio::io_context& io_;
    const EventCommand& runner_;
    OnRun on_run_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer timer_;
    base::LogThrottle problems_;
    bool kept_ = false;  ///< untold events were saved

    mutable base::Mutex mutex_;
    base::Condition idle_;
    EventQueue queue_ GUARDED_BY(mutex_);
    std::map<std::uint64_t, Event> under_way_ GUARDED_BY(mutex_){};
    std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
    Counts counts_ GUARDED_BY(mutex_){};
    bool helper_gone_ GUARDED_BY(mutex_) = false;
    bool posted_ GUARDED_BY(mutex_) = false;  ///< `feed` was posted to `io`
    base::Duration pause_
        GUARDED_BY(mutex_){};  ///< before the next attempt; 0: the last one did not fail
    bool paused_ GUARDED_BY(mutex_) = false;  ///< the timer is running
    std::shared_ptr<const EventFeeder*> alive_ = std::make_shared<const EventFeeder*>(this);
};

}  // namespace sftdyn::server
