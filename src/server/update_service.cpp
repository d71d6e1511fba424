// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/update_service.hpp"

#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "base/log.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

// How often deadlines are checked while anything waits.
constexpr auto tick_interval = std::chrono::milliseconds(20);

}  // namespace

UpdateService::UpdateService(boost::asio::io_context& io, update::Backend& backend,
                             update::HostTable& hosts, telemetry::Metrics& metrics,
                             const update::EngineLimits& limits, Clock clock)
    : io_(io),
      hosts_(hosts),
      metrics_(metrics),
      clock_(std::move(clock)),
      timer_(io),
      failures_([](const std::string& text) { log::error("{}", text); }),
      scripts_(hosts),
      engine_(backend, hosts, known_, limits, clock_,
              [this](const dns::Name& host, dns::Type type, const dns::DnsError& failure) {
                  on_failure(host, type, failure);
              }) {
    engine_.on_update(
        [this](std::size_t changes, base::Duration took) { metrics_.update(changes, took); });
    engine_.on_change([this](const update::RrsetKey& rrset) { scripts_.forget(rrset); });
}

void UpdateService::configure(const update::EngineLimits& limits, bool servers_changed) {
    scripts_.forget_all();
    engine_.reconfigure(limits, servers_changed);
}

void UpdateService::submit(update::DesiredRecord desired, Done done) {
    boost::asio::post(io_, [this, desired = std::move(desired), done = std::move(done)]() mutable {
        update::engine_thread.assert_held();
        say_accepted(desired);
        engine_.submit(std::move(desired), std::move(done));
        wake_engine();
    });
}

void UpdateService::submit_groups(std::vector<Group> groups, GroupDone done) {
    boost::asio::post(io_, [this, groups = std::move(groups), done = std::move(done)]() mutable {
        update::engine_thread.assert_held();
        for (std::size_t number = 0; number < groups.size(); ++number) {
            engine_.submit_group(
                std::move(groups[number]),
                [number, done](const std::vector<update::UpdateOutcome>& outcomes) {
                    done(number, outcomes);
                });
        }
        wake_engine();
    });
}

void UpdateService::submit_hook_update(HookUpdate update, Done done) {
    boost::asio::post(io_, [this, update = std::move(update), done = std::move(done)]() mutable {
        update::engine_thread.assert_held();
        say_accepted(update.desired);
        carry_out(std::move(update), std::move(done));
        wake_engine();
    });
}

void UpdateService::carry_out(HookUpdate update, Done done) {
    const update::RrsetKey target = update.desired.rrset;
    // A script may name another zone than the server does on purpose; then it is sent unchanged.
    if (update.is_desired_record &&
        (!update.zone || engine_.believe_zone(target.host, *update.zone)))
        return engine_.submit(std::move(update.desired), std::move(done));
    // If the last script was for the same address, the engine sends this one only if the address is
    // no longer served.
    const bool is_made =
        update.pair == 0 && scripts_.is_scripted(target, update.address, base::TimePoint::min());
    auto ended = [this, script = scripts_.begin(target, update.pair, update.messages),
                  address = update.address, accepted = clock_(),
                  done = std::move(done)](update::UpdateOutcome outcome) {
        using update::UpdateStatus;
        const bool is_so =
            outcome.status == UpdateStatus::committed || outcome.status == UpdateStatus::unchanged;
        scripts_.end(script, address, is_so, accepted);
        done(outcome);
    };
    engine_.submit_messages(target, std::move(update.messages), std::move(ended),
                            is_made ? std::move(update.address) : std::string());
}

void UpdateService::confirm_empty_script(std::uint64_t pair) {
    scripts_.end(scripts_.begin({}, pair, {}), {}, true, clock_());
}

void UpdateService::say_accepted(const update::DesiredRecord& desired) const {
    if (!log::says(spdlog::level::debug)) return;
    const auto address = dns::address_of(desired.rrset.type, desired.rdata);
    log::debug("{} {} {}: accepted", hosts_.name(desired.rrset.host).text(),
               dns::type_text(desired.rrset.type), address ? address->to_string() : "none");
}

void UpdateService::on_failure(const dns::Name& host, dns::Type type,
                               const dns::DnsError& failure) {
    metrics_.dns_error(failure.kind);
    const bool is_pointer = type == dns::Type::ptr;
    if (is_pointer && failure.kind == dns::ErrorKind::no_zone) {
        log::debug("no reverse zone of ours holds {}", host.text());
        return;
    }
    const auto text =
        fmt::format("{} {} not updated: {}", host.text(), dns::type_text(type), failure.text());
    const log::FieldScope scope({{"SFTDYN_HOST", host.text()},
                                 {"SFTDYN_OUTCOME", text_of(telemetry::RequestOutcome::fail)}});
    failures_.add((is_pointer ? "ptr/" : "") + failure.key(), text, clock_());
}

void UpdateService::give_up() {
    has_given_up_ = true;
    engine_.give_up_all();
}

void UpdateService::wake_engine() {
    if (has_given_up_) engine_.give_up_all();
    if (!ticking_ && engine_.busy()) keep_ticking();
}

void UpdateService::keep_ticking() {
    ticking_ = true;
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code error) {
        update::engine_thread.assert_held();
        ticking_ = false;
        if (error) return;
        engine_.tick();
        if (engine_.busy()) keep_ticking();
    });
}

}  // namespace sftdyn::server
