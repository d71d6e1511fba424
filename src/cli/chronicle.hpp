// What became of requests: a line in the log, a count, and an entry in the memory of hosts, all from one place.
#pragma once

#include <atomic>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "report/history.hpp"
#include "report/metrics.hpp"
#include "update/engine.hpp"
#include "update/known.hpp"

namespace sftdyn::cli {

class Chronicle {
public:
    explicit Chronicle(const update::HostTable& hosts) : hosts_(hosts) {}

    /// A host's request was served, or could not be. `client` is who asked, `address` what the host has or would have
    /// (unspecified: none), `began` when the request came.
    void served(report::Dialect dialect, const update::Target& target, const boost::asio::ip::address& client,
                const boost::asio::ip::address& address, update::Verdict verdict, base::TimePoint began);
    /// A credential that there is not.
    void bad_credential(report::Dialect dialect, const boost::asio::ip::address& client);
    /// Anything else, which is only counted.
    void count(report::Dialect dialect, report::Outcome outcome) { metrics_.request(dialect, outcome); }

    /// Whether hosts are remembered: not where nobody asks for it. At first they are not.
    void remember(bool wanted) { remembers_ = wanted; }

    [[nodiscard]] report::Metrics& metrics() { return metrics_; }
    [[nodiscard]] report::History& history() { return history_; }

private:
    const update::HostTable& hosts_;
    report::Metrics metrics_;
    report::History history_;
    std::atomic<bool> remembers_ = false;
};

}  // namespace sftdyn::cli
