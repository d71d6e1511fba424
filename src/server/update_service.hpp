// SPDX-License-Identifier: GPL-3.0-or-later
// The only door to the engine's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log_throttle.hpp"
#include "telemetry/metrics.hpp"
#include "update/engine.hpp"
#include "update/script_cache.hpp"

namespace sftdyn::server {

/// What a conf's hooks make of a request.
struct HookUpdate {
    /// The record of the address; of `messages` that are more than that only its RRset counts.
    update::DesiredRecord desired{};
    bool is_desired_record = true;             ///< `desired` is all that there is to do
    std::optional<dns::Name> zone{};           ///< that `messages` name
    std::vector<dns::UpdateMessage> messages;  ///< as they are written
    std::string address{};                     ///< record data of the address that they are for
};

/// What shall be served goes in on any thread, and its outcome comes back on the engine's. It also
/// answers, on any thread and without that of the engine, what is known to be served. Owned by
/// `Service`, and owns the engine.
class UpdateService {
public:
    using Done = update::Engine::Done;
    using Clock = update::Engine::Clock;
    using Group = std::vector<update::DesiredRecord>;
    /// The group's number, and one outcome for each of its records.
    using GroupDone =
        std::function<void(std::size_t group, const std::vector<update::UpdateOutcome>&)>;

    /// The engine runs on `io`; all of them outlive it, and `hosts` and `metrics` are thread-safe.
    UpdateService(boost::asio::io_context& io, update::Backend& backend, update::HostTable& hosts,
                  telemetry::Metrics& metrics, const update::EngineLimits& limits,
                  Clock clock = base::Clock::now);
    UpdateService(const UpdateService&) = delete;
    UpdateService& operator=(const UpdateService&) = delete;

    /// On any thread: whether exactly that is known to be served, from `since` or later.
    [[nodiscard]] bool is_served(const update::RrsetKey& target, std::string_view rdata,
                                 base::TimePoint since) const {
        return known_.is_served(target, rdata, since);
    }
    /// The same, or that the last script of the RRset was for that address.
    [[nodiscard]] bool is_served_or_scripted(const update::RrsetKey& target, std::string_view rdata,
                                             base::TimePoint since) const {
        return known_.is_served(target, rdata, since) || scripts_.is_scripted(target, rdata, since);
    }

    /// On any thread. `done` is called once, on the engine's; when the program ends it is dropped.
    void submit(update::DesiredRecord desired, Done done);
    /// As `submit`, for groups that are done each by itself, all or none of its records.
    void submit_groups(std::vector<Group> groups, GroupDone done);
    void submit_hook_update(HookUpdate update, Done done);

    /// What follows is the engine's thread's.
    /// Whether the last that is known of the desired record's RRset is what it asks for.
    [[nodiscard]] bool is_still_so(const update::DesiredRecord& desired) const
        REQUIRES(update::engine_thread) {
        return engine_.is_still_so(desired);
    }
    /// Requests that wait.
    [[nodiscard]] std::size_t waiting() const REQUIRES(update::engine_thread) {
        return engine_.waiting();
    }
    /// How long a request for a host of the zone may take.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& zone) const
        REQUIRES(update::engine_thread) {
        return engine_.timeout_of(zone);
    }
    /// A new configuration; see Engine::reconfigure.
    void configure(const update::EngineLimits& limits, bool servers_changed)
        REQUIRES(update::engine_thread);
    /// The program ends: what waits fails now, and what comes fails at once, so that its answers
    /// still go out.
    void give_up() REQUIRES(update::engine_thread);
    /// Says what is still only counted.
    void finish() REQUIRES(update::engine_thread) { failures_.finish(); }

private:
    void say_accepted(const update::DesiredRecord& desired) const;
    void carry_out(HookUpdate update, Done done) REQUIRES(update::engine_thread);
    void on_failure(const dns::Name& host, dns::Type type, const dns::DnsError& failure);
    void wake_engine() REQUIRES(update::engine_thread);
    void keep_ticking() REQUIRES(update::engine_thread);

    boost::asio::io_context& io_;
    update::HostTable& hosts_;
    telemetry::Metrics& metrics_;
    Clock clock_;
    boost::asio::steady_timer timer_ GUARDED_BY(update::engine_thread);
    bool ticking_ GUARDED_BY(update::engine_thread) = false;
    bool has_given_up_ GUARDED_BY(update::engine_thread) = false;
    base::LogThrottle failures_;
    update::ServedCache known_;
    update::ScriptCache scripts_;  ///< of all confs: an old one's request may end after a new one's
    update::Engine engine_ GUARDED_BY(update::engine_thread);
};

}  // namespace sftdyn::server
