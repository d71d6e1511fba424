// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_feeder.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "base/system_error.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

// Enough for more hosts than one server has, with two events for each record. An event takes about
// 300 octets.
constexpr std::size_t capacity = 200'000;
constexpr base::Duration first_pause = std::chrono::seconds(1),
                         longest_pause = std::chrono::seconds(60);
constexpr std::size_t most_named = 20;  // in one log line

std::string shown(const Event& event) {
    return fmt::format("{} {} {}", text_of(event.kind), event.host, dns::type_text(event.type));
}

}  // namespace

EventFeeder::EventFeeder(boost::asio::io_context& io, const EventCommand& runner, OnRun on_run)
    : io_(io),
      runner_(runner),
      on_run_(std::move(on_run)),
      socket_(io),
      timer_(io),
      problems_([](const std::string& text) { log::error("{}", text); }),
      queue_(capacity) {
    if (runner_.socket() < 0) return;
    socket_.assign(runner_.socket());
    await_answers();
}

EventFeeder::~EventFeeder() {
    if (socket_.is_open()) socket_.release();  // the descriptor is the runner's
    problems_.finish();
    const std::vector<Event> events = untold();
    std::string names;
    std::size_t named = 0;
    for (const Event& event : events) {
        names += (names.empty() ? "" : ", ") + shown(event);
        if (++named % most_named != 0 && named != events.size()) continue;
        log::warn(
            "{}: at the end {} event commands were not run or had not ended; {}: {}",
            runner_.name(), events.size(),
            kept_ ? "they are run after the next start" : "without [admin] state they are lost",
            std::exchange(names, {}));
    }
}

std::vector<Event> EventFeeder::untold() const {
    const base::MutexLock lock(mutex_);
    std::vector<Event> out;
    for (const auto& [id, event] : under_way_) out.push_back(event);
    out.insert(out.end(), queue_.events().begin(), queue_.events().end());
    return out;
}

void EventFeeder::tell(Event event) {
    if (runner_.socket() < 0) return;
    const std::string text = shown(event), host = event.host;
    const base::MutexLock lock(mutex_);
    if (!queue_.add(std::move(event))) {
        ++counts_.lost;
        const log::FieldScope scope({{"SFTDYN_HOST", host}});
        problems_.add("lost",
                      fmt::format("{}: an event command is not run, since {} wait already: {}",
                                  runner_.name(), capacity, text),
                      base::Clock::now());
        return;
    }
    feed_soon();
}

void EventFeeder::drop(const std::function<bool(const Event&)>& unwanted) {
    const base::MutexLock lock(mutex_);
    queue_.erase_if(unwanted);
}

void EventFeeder::feed_soon() {
    if (std::exchange(posted_, true)) return;
    boost::asio::post(io_, [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) feed();
    });
}

void EventFeeder::feed() {
    const base::MutexLock lock(mutex_);
    posted_ = false;
    std::set<EventQueue::Record> busy;
    for (const auto& [id, event] : under_way_) busy.insert(EventQueue::record_of(event));
    while (!helper_gone_ && !paused_ && under_way_.size() < runner_.at_once()) {
        auto event = queue_.take(
            [&busy](const EventQueue::Record& record) { return busy.contains(record); });
        if (!event) break;
        const std::uint64_t id = next_id_++;
        if (send(id, *event)) {
            busy.insert(EventQueue::record_of(*event));
            under_way_.emplace(id, std::move(*event));
        }
    }
    if (under_way_.empty()) idle_.notify_all();
}

/// False: the event was not sent, and was already handled (dropped or queued again).
bool EventFeeder::send(std::uint64_t id, const Event& event) {
    const auto octets = EventMessage{id, event}.write();
    if (!octets) {
        ++counts_.lost;
        const log::FieldScope scope({{"SFTDYN_HOST", log::printable(event.host)}});
        problems_.add(
            "name",
            fmt::format("{}: an event command is not run, since the name can't be passed to it: {}",
                        runner_.name(), log::printable(shown(event))),
            base::Clock::now());
        return false;
    }
    if (::send(socket_.native_handle(), octets->data(), octets->size(),
               MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return true;
    again(event, errno);
    return false;
}

void EventFeeder::await_answers() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
                           if (error || alive.expired()) return;
                           if (read_answers()) await_answers();
                       });
}

/// False: no more answers will come.
bool EventFeeder::read_answers() {
    std::vector<Event> run;
    const bool more = read_answers(run);
    for (const Event& event : run) on_run_(event);
    return more;
}

bool EventFeeder::read_answers(std::vector<Event>& run) {
    const base::MutexLock lock(mutex_);
    std::array<char, EventAnswer::size + 1> octets{};
    while (true) {
        const ssize_t size =
            recv(socket_.native_handle(), octets.data(), octets.size(), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (size <= 0) {
            helper_is_gone();
            return false;
        }
        const auto answer = EventAnswer::read({octets.data(), static_cast<std::size_t>(size)});
        const auto found = answer ? under_way_.find(answer->id) : under_way_.end();
        if (found == under_way_.end()) continue;
        const Event event = std::move(found->second);
        under_way_.erase(found);
        ended(event, *answer);
        if (answer->outcome != EventOutcome::not_run) run.push_back(event);
    }
    feed_soon();
    if (under_way_.empty()) idle_.notify_all();
    return true;
}

void EventFeeder::ended(const Event& event, const EventAnswer& answer) {
    const log::FieldScope scope({{"SFTDYN_HOST", event.host}});
    const auto say = [&](const char* kind, const std::string& text) {
        problems_.add(kind, fmt::format("{}: {} ({})", runner_.name(), text, shown(event)),
                      base::Clock::now());
    };
    if (answer.outcome != EventOutcome::not_run) pause_ = {};
    switch (answer.outcome) {
        case EventOutcome::exited:
            ++(answer.detail == 0 ? counts_.succeeded : counts_.failed);
            if (answer.detail != 0)
                say("status", fmt::format("the event command ended with status {}", answer.detail));
            break;
        case EventOutcome::signalled:
            ++counts_.failed;
            say("signal", fmt::format("the event command was ended by signal {}", answer.detail));
            break;
        case EventOutcome::timed_out:
            ++counts_.timed_out;
            say("time",
                "the event command did not end in time, and was killed "
                "([admin] event_command_time)");
            break;
        case EventOutcome::not_run:
            again(event, answer.detail);
            break;
    }
}

/// Queues an event again whose command could not be started. The cause affects all commands, so all
/// wait for the retry.
void EventFeeder::again(Event event, int error) {
    ++counts_.not_run;
    const log::FieldScope scope({{"SFTDYN_HOST", event.host}});
    problems_.add(
        "start",
        fmt::format("{}: the event command can't be run: {}; it is tried again. Is the path in "
                    "[admin] event_command right, and may this user execute it? ({})",
                    runner_.name(), base::system_error_text(error), shown(event)),
        base::Clock::now());
    queue_.put_back(std::move(event));
    if (std::exchange(paused_, true)) return;
    pause_ = pause_.count() == 0 ? first_pause : std::min(pause_ * 2, longest_pause);
    timer_.expires_after(pause_);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code failed) {
        if (failed || alive.expired()) return;
        {
            const base::MutexLock lock(mutex_);
            paused_ = false;
        }
        feed();
    });
}

/// The helper has ended, which happens only if it is killed. The sandboxed program can't start
/// another.
void EventFeeder::helper_is_gone() {
    helper_gone_ = true;
    for (auto& [id, event] : under_way_) queue_.put_back(std::move(event));
    under_way_.clear();
    idle_.notify_all();
    log::error(
        "{}: the process that runs the event command has ended; it is not run until sftdyn is "
        "restarted",
        runner_.name());
}

void EventFeeder::wait_until_idle(base::TimePoint deadline) {
    const base::MutexLock lock(mutex_);
    idle_.wait_until(mutex_, deadline, [this]() REQUIRES(mutex_) {
        return helper_gone_ || (under_way_.empty() && (queue_.size() == 0 || paused_));
    });
}

EventFeeder::Counts EventFeeder::counts() const {
    const base::MutexLock lock(mutex_);
    Counts out = counts_;
    out.waiting = queue_.size() + under_way_.size();
    return out;
}

}  // namespace sftdyn::server
