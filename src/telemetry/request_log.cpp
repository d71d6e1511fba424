#include "telemetry/request_log.hpp"

#include <ctime>

#include <fmt/format.h>

#include "base/log.hpp"

namespace sftdyn::telemetry {
namespace {

namespace log = base::log;

Outcome outcome_of(update::UpdateStatus status) {
    switch (status) {
        case update::UpdateStatus::committed:
            return Outcome::ok;
        case update::UpdateStatus::unchanged:
            return Outcome::uptodate;
        case update::UpdateStatus::failed:
            return Outcome::fail;
        case update::UpdateStatus::over_budget:
            return Outcome::abuse;
        case update::UpdateStatus::overloaded:
            return Outcome::overloaded;
    }
    return Outcome::fail;
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

}  // namespace

void RequestLog::served(Dialect dialect, const update::Target& target,
                        const boost::asio::ip::address& client,
                        const boost::asio::ip::address& address, update::UpdateStatus status,
                        base::TimePoint began) {
    const Outcome outcome = outcome_of(status);
    metrics_.request(dialect, outcome);
    if (remembers_.load(std::memory_order_relaxed))
        history_.note(target, address, outcome, std::time(nullptr));
    if (!log::says(spdlog::level::info)) return;
    const std::string host = hosts_.name(target.host).text(), from = client.to_string();
    const std::string shown = address.is_unspecified() ? "none" : address.to_string();
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(base::Clock::now() - began).count();
    log::event(spdlog::level::info,
               fmt::format("{} {} {}{}: {}", host, dns::type_text(target.type), shown,
                           client == address ? "" : " from " + from, log_word(status)),
               {{"SFTDYN_HOST", host},
                {"SFTDYN_CLIENT", from},
                {"SFTDYN_ADDRESS", shown},
                {"SFTDYN_DIALECT", text_of(dialect)},
                {"SFTDYN_OUTCOME", text_of(outcome)},
                {"SFTDYN_DURATION_USEC", std::to_string(took)}});
}

void RequestLog::bad_credential(Dialect dialect, const boost::asio::ip::address& client) {
    metrics_.request(dialect, Outcome::badkey);
    if (!log::says(spdlog::level::info)) return;
    log::event(spdlog::level::info, fmt::format("a wrong credential from {}", client.to_string()),
               {{"SFTDYN_CLIENT", client.to_string()},
                {"SFTDYN_DIALECT", text_of(dialect)},
                {"SFTDYN_OUTCOME", "badkey"}});
}

}  // namespace sftdyn::telemetry
