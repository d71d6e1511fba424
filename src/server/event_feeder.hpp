// SPDX-License-Identifier: GPL-3.0-or-later
// Tells the event command's helper of events, as many at a time as may run, and keeps what must
// wait.
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

/// What waits is the newest state of each record, so it is bounded by the number of hosts. No two
/// commands run for one record at a time, and those of one record run in order. A command that
/// can't be run is tried again, a second later at first and each minute at last; one that was run
/// and failed is not.
class EventFeeder {
public:
    /// Called with each event whose command was run, when that has ended.
    using OnRun = std::function<void(const Event&)>;
    /// `io` and `runner` outlive it. All that it does but `tell` and `wait_until_idle` is on the
    /// thread of `io`.
    EventFeeder(
        boost::asio::io_context& io, const EventCommand& runner,
        OnRun on_run = [](const Event&) {});
    /// Says in the log what was not run. After `io` has stopped.
    ~EventFeeder();
    EventFeeder(const EventFeeder&) = delete;
    EventFeeder& operator=(const EventFeeder&) = delete;

    /// On any thread; never waits.
    void tell(Event event);

    /// Waits until every command that can be run has ended, or until the deadline. On any thread
    /// but that of `io`.
    void wait_until_idle(base::TimePoint deadline);

    /// What the command was not told, or not to the end: what is under way, then what waits. After
    /// `io` has stopped.
    [[nodiscard]] std::vector<Event> untold() const;
    /// The next run tells the command of them; this is for the log's last word.
    void are_kept() { kept_ = true; }

    /// What came of the commands since the start.
    struct Counts {
        std::uint64_t succeeded = 0;  ///< status 0
        std::uint64_t failed = 0;     ///< another status, or a signal
        std::uint64_t timed_out = 0;
        std::uint64_t not_run = 0;  ///< attempts
        std::uint64_t lost = 0;     ///< never to be run: there was no room for it
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
    bool kept_ = false;  ///< what is untold at the end

    mutable base::Mutex mutex_;
    base::Condition idle_;
    EventQueue queue_ GUARDED_BY(mutex_);
    std::map<std::uint64_t, Event> under_way_ GUARDED_BY(mutex_){};
    std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
    Counts counts_ GUARDED_BY(mutex_){};
    bool helper_gone_ GUARDED_BY(mutex_) = false;
    bool posted_ GUARDED_BY(mutex_) = false;     ///< `feed` is to be called by `io`
    base::Duration pause_ GUARDED_BY(mutex_){};  ///< before the next attempt; 0: none failed
    bool paused_ GUARDED_BY(mutex_) = false;     ///< the timer runs
    std::shared_ptr<const EventFeeder*> alive_ = std::make_shared<const EventFeeder*>(this);
};

}  // namespace sftdyn::server
