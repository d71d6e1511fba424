// SPDX-License-Identifier: GPL-3.0-or-later
// The interface of all threads to the engine.
#pragma once

#include <cstdint>
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

/// The update that a conf's hooks want for a request.
struct HookUpdate {
    /// The desired record of the address. If `messages` do more than that, only its RRset is used.
    update::DesiredRecord desired{};
    bool is_desired_record = true;             ///< true: `desired` is the whole update
    std::optional<dns::Name> zone{};           ///< the zone that `messages` name
    std::vector<dns::UpdateMessage> messages;  ///< sent unchanged
    std::string address{};  ///< record data of the address that `messages` are for
    /// The number of the pair of objects that `messages` are for instead (see ScriptCache); 0:
    /// none.
    std::uint64_t pair = 0;
};

/// Accepts desired records on any thread, and reports their outcomes on the engine's thread. Also
/// tells on any thread, without the engine, what is known to be served. Owned by `Service`; owns
/// the engine.
class UpdateService {
public:
    using Done = update::Engine::Done;
    using Clock = update::Engine::Clock;
    using Group = std::vector<update::DesiredRecord>;
    /// The group's number, and one outcome for each of its records.
    using GroupDone =
        std::function<void(std::size_t group, const std::vector<update::UpdateOutcome>&)>;

    /// The engine runs on `io`. All arguments outlive it; `hosts` and `metrics` are thread-safe.
    UpdateService(boost::asio::io_context& io, update::Backend& backend, update::HostTable& hosts,
                  telemetry::Metrics& metrics, const update::EngineLimits& limits,
                  Clock clock = base::Clock::now);
    UpdateService(const UpdateService&) = delete;
    UpdateService& operator=(const UpdateService&) = delete;

    /// Whether exactly this record data is known to be served with this TTL, as of `since` or
    /// later. On any thread.
    [[nodiscard]] bool is_served(const update::RrsetKey& target, std::string_view rdata,
                                 std::uint32_t ttl, base::TimePoint since) const {
        return known_.is_served(target, rdata, since, ttl);
    }
    /// The same with any TTL; true also if the last script of the RRset was for this address. On
    /// any thread.
    [[nodiscard]] bool is_served_or_scripted(const update::RrsetKey& target, std::string_view rdata,
                                             base::TimePoint since) const {
        return known_.is_served(target, rdata, since) || scripts_.is_scripted(target, rdata, since);
    }
    /// Whether the pair's script was carried out, and nothing else has touched its names since. On
    /// any thread.
    [[nodiscard]] bool is_scripted(std::uint64_t pair) const { return scripts_.is_scripted(pair); }
    /// The pair's script changes nothing, so nothing has to be sent for it. On any thread.
    void confirm_empty_script(std::uint64_t pair);

    /// Submits a desired record. On any thread. `done` is called once, on the engine's thread, or
    /// dropped when the program ends.
    void submit(update::DesiredRecord desired, Done done);
    /// As `submit`, for independent atomic groups.
    void submit_groups(std::vector<Group> groups, GroupDone done);
    void submit_hook_update(HookUpdate update, Done done);

    // The functions below are for the engine's thread.
    /// Whether the latest known state of the RRset matches the desired record.
    [[nodiscard]] bool is_still_so(const update::DesiredRecord& desired) const
        REQUIRES(update::engine_thread) {
        return engine_.is_still_so(desired);
    }
    /// The number of waiting desired records and messages.
    [[nodiscard]] std::size_t waiting() const REQUIRES(update::engine_thread) {
        return engine_.waiting();
    }
    /// The timeout of requests for hosts of the zone.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& zone) const
        REQUIRES(update::engine_thread) {
        return engine_.timeout_of(zone);
    }
    /// Sets a new configuration: see Engine::reconfigure.
    void configure(const update::EngineLimits& limits, bool servers_changed)
        REQUIRES(update::engine_thread);
    /// To be called when the program ends: fails all waiting and later requests at once, so that
    /// their answers can still be sent.
    void give_up() REQUIRES(update::engine_thread);
    /// Logs the remaining counts.
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
    update::ScriptCache
        scripts_;  ///< shared by all confs: an old conf's request may end after a new one's
    update::Engine engine_ GUARDED_BY(update::engine_thread);
};

}  // namespace sftdyn::server
