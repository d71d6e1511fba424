#include "cli/chronicle.hpp"

#include <ctime>

#include <fmt/format.h>

#include "api/secret_url.hpp"
#include "base/log.hpp"

namespace sftdyn::cli {
namespace {

namespace log = base::log;

report::Outcome outcome_of(update::Verdict verdict) {
    switch (verdict) {
        case update::Verdict::committed:
            return report::Outcome::ok;
        case update::Verdict::unchanged:
            return report::Outcome::uptodate;
        case update::Verdict::failed:
            return report::Outcome::fail;
        case update::Verdict::over_budget:
            return report::Outcome::abuse;
        case update::Verdict::overloaded:
            return report::Outcome::overloaded;
    }
    return report::Outcome::fail;
}

}  // namespace

void Chronicle::served(report::Dialect dialect, const update::Target& target, const boost::asio::ip::address& client,
                       const boost::asio::ip::address& address, update::Verdict verdict, base::TimePoint began) {
    const report::Outcome outcome = outcome_of(verdict);
    metrics_.request(dialect, outcome);
    if (remembers_.load(std::memory_order_relaxed)) history_.note(target, address, outcome, std::time(nullptr));
    if (!log::says(spdlog::level::info)) return;
    const std::string host = hosts_.name(target.host).text(), from = client.to_string();
    const std::string shown = address.is_unspecified() ? "none" : address.to_string();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(base::Clock::now() - began).count();
    log::event(spdlog::level::info,
               fmt::format("{} {} {}{}: {}", host, dns::type_text(target.type), shown, client == address ? "" : " from " + from,
                           api::secret_url::log_word(verdict)),
               {{"SFTDYN_HOST", host},
                {"SFTDYN_CLIENT", from},
                {"SFTDYN_ADDRESS", shown},
                {"SFTDYN_DIALECT", report::text_of(dialect)},
                {"SFTDYN_OUTCOME", report::text_of(outcome)},
                {"SFTDYN_DURATION_USEC", std::to_string(took)}});
}

void Chronicle::bad_credential(report::Dialect dialect, const boost::asio::ip::address& client) {
    metrics_.request(dialect, report::Outcome::badkey);
    if (!log::says(spdlog::level::info)) return;
    log::event(spdlog::level::info, fmt::format("a wrong credential from {}", client.to_string()),
               {{"SFTDYN_CLIENT", client.to_string()}, {"SFTDYN_DIALECT", report::text_of(dialect)}, {"SFTDYN_OUTCOME", "badkey"}});
}

}  // namespace sftdyn::cli
