// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/request_log.hpp"

#include <ctime>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"

namespace sftdyn::telemetry {
namespace {

namespace log = base::log;

// Octets of a client's host name that are logged (RFC 1035 §3.1).
constexpr std::size_t longest_host = 255;

RequestOutcome outcome_of(update::UpdateStatus status) {
    switch (status) {
        case update::UpdateStatus::committed:
            return RequestOutcome::ok;
        case update::UpdateStatus::unchanged:
            return RequestOutcome::uptodate;
        case update::UpdateStatus::failed:
            return RequestOutcome::fail;
        case update::UpdateStatus::over_budget:
            return RequestOutcome::abuse;
        case update::UpdateStatus::overloaded:
            return RequestOutcome::overloaded;
    }
    return RequestOutcome::fail;
}

const char* log_word(update::UpdateStatus status) {
    switch (status) {
        case update::UpdateStatus::committed:
            return "OK";
        case update::UpdateStatus::unchanged:
            return "UPTODATE";
        case update::UpdateStatus::failed:
            return "FAIL";
        case update::UpdateStatus::over_budget:
            return "ABUSE (its budget of changes is spent)";
        case update::UpdateStatus::overloaded:
            return "FAIL (too many wait already)";
    }
    return "?";
}

std::string microseconds_since(base::TimePoint began) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::microseconds>(base::Clock::now() - began).count());
}

/// Logs the final line of a request.
void say(const RequestFacts& facts, RequestOutcome outcome, const std::string& text,
         log::Fields fields = {}) {
    const auto common = log_fields(facts, outcome);
    fields.insert(fields.end(), common.begin(), common.end());
    fields.emplace_back("SFTDYN_DURATION_USEC", microseconds_since(facts.began));
    log::event(spdlog::level::info, text, fields);
}

}  // namespace

log::Fields log_fields(const RequestFacts& facts) {
    return {{"SFTDYN_CLIENT", facts.client.to_string()},
            {"SFTDYN_DIALECT", text_of(facts.dialect)}};
}

log::Fields log_fields(const RequestFacts& facts, RequestOutcome outcome) {
    auto fields = log_fields(facts);
    fields.emplace_back("SFTDYN_OUTCOME", text_of(outcome));
    return fields;
}

void RequestLog::served(const RequestFacts& facts, const HostOutcome& host) {
    const RequestOutcome outcome = outcome_of(host.status);
    metrics_.request(facts.dialect, outcome);
    if (remembers_.load(std::memory_order_relaxed))
        history_.note(host.target, host.address, outcome, std::time(nullptr));
    if (!log::says(spdlog::level::info)) return;
    const std::string name = hosts_.name(host.target.host).text();
    const std::string shown = host.address.is_unspecified() ? "none" : host.address.to_string();
    say(facts, outcome,
        fmt::format("{} {} {}{}: {}", name, dns::type_text(host.target.type), shown,
                    facts.client == host.address ? "" : " from " + facts.client.to_string(),
                    log_word(host.status)),
        {{"SFTDYN_HOST", name}, {"SFTDYN_ADDRESS", shown}});
}

void RequestLog::not_served(const RequestFacts& facts, std::string_view host, std::string_view word,
                            RequestOutcome outcome) {
    metrics_.request(facts.dialect, outcome);
    if (!log::says(spdlog::level::info)) return;
    const std::string shown = log::printable(host.substr(0, longest_host));
    say(facts, outcome, fmt::format("{} from {}: {}", shown, facts.client.to_string(), word),
        {{"SFTDYN_HOST", shown}});
}

void RequestLog::bad_credential(const RequestFacts& facts) {
    metrics_.request(facts.dialect, RequestOutcome::badkey);
    if (!log::says(spdlog::level::info)) return;
    say(facts, RequestOutcome::badkey,
        fmt::format("a wrong credential from {}", facts.client.to_string()));
}

void RequestLog::ended(const RequestFacts& facts, RequestOutcome outcome, std::string_view what) {
    metrics_.request(facts.dialect, outcome);
    if (!log::says(spdlog::level::info)) return;
    say(facts, outcome, fmt::format("a request from {}: {}", facts.client.to_string(), what));
}

void RequestLog::unreadable(const std::optional<boost::asio::ip::address>& client,
                            unsigned status) {
    metrics_.request(DialectLabel::none, RequestOutcome::refused);
    metrics_.response(status);
    if (!log::says(spdlog::level::info)) return;
    const std::string from = client ? client->to_string() : "a Unix socket";
    log::event(spdlog::level::info,
               fmt::format("a request from {}: refused unread with status {}", from, status),
               {{"SFTDYN_CLIENT", from},
                {"SFTDYN_DIALECT", text_of(DialectLabel::none)},
                {"SFTDYN_OUTCOME", text_of(RequestOutcome::refused)}});
}

}  // namespace sftdyn::telemetry
