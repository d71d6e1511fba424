// SPDX-License-Identifier: GPL-3.0-or-later
// The program's metrics, in Prometheus's text format 0.0.4. Labels are from fixed sets or from the
// configuration; none is a secret.
#pragma once

#include <array>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "dns/error.hpp"
#include "telemetry/counter.hpp"

namespace sftdyn::telemetry {

/// The dialect as a metric's label and a log field. `none`: the request could not be parsed.
enum class DialectLabel : std::uint8_t { secret_url, dyndns2, duckdns, freedns, none };
constexpr std::size_t dialects = 5;
/// The outcome of a request; with several hosts in one request, each is counted.
enum class RequestOutcome : std::uint8_t {
    ok,
    uptodate,
    badkey,
    abuse,
    fail,
    overloaded,
    address,       ///< the client asked for its own address, and got it
    refused,       ///< not available to any client, or malformed
    no_credential  ///< none was sent; many clients send theirs only after this response
};
constexpr std::size_t outcomes = 9;
/// The statuses of HTTP responses that are counted each (RFC 9110 §15). Others are counted
/// together.
constexpr std::array<unsigned, 17> http_statuses{200, 400, 401, 403, 404, 405, 408, 411, 413,
                                                 414, 417, 429, 431, 500, 501, 503, 505};

[[nodiscard]] const char* text_of(DialectLabel dialect);
[[nodiscard]] const char* text_of(RequestOutcome outcome);

/// Owned by `RequestLog`. `request`, `response` and `text` may be called on any thread; the DNS
/// counters are used on the engine's thread.
class Metrics {
public:
    Metrics();

    void request(DialectLabel dialect, RequestOutcome outcome) {
        requests_[static_cast<std::size_t>(dialect)][static_cast<std::size_t>(outcome)].add();
    }
    /// Counts a response, and the time from the request's arrival.
    void response(unsigned status, base::Duration took);
    /// Counts the response to a request that could not be parsed.
    void response(unsigned status);
    /// Counts an UPDATE that was answered or given up. Called on the engine's thread.
    void update(std::size_t changes, base::Duration took);
    /// Counts an error of the DNS. Called on the engine's thread.
    void dns_error(dns::ErrorKind kind);

    /// Whether an address of a DNS server answers.
    struct AddressState {
        std::string address{},
            zone{};  ///< zone: empty for the server of all zones without their own
        bool up = false;
    };

    /// Values that are read when the metrics are requested.
    struct Now {
        std::size_t waiting = 0;      ///< requests in the engine
        std::size_t connections = 0;  ///< open HTTP connections
        std::size_t clients = 0;      ///< in the configuration
        std::size_t stale_hosts = 0;
        bool ready = false;                   ///< requests can be served
        std::vector<AddressState> servers{};  ///< each once
        std::vector<std::pair<const char*, std::uint64_t>>
            event_commands{};  ///< outcome of the event command and its count; empty: no command
        std::size_t event_commands_waiting = 0;  ///< events not passed to it yet
        std::vector<std::pair<std::string, std::time_t>>
            certificates{};  ///< each name once, and when it expires, in seconds since 1970
        bool is_reload_successful = true;  ///< the last reload, or the start
        std::time_t reload_time = 0;       ///< of the last one that was
    };
    [[nodiscard]] std::string text(const Now& now, std::string_view version) const;

private:
    static constexpr std::size_t kinds =
        static_cast<std::size_t>(dns::ErrorKind::deadline_exceeded) + 1;
    std::array<std::array<Counter, outcomes>, dialects> requests_{};
    std::array<Counter, http_statuses.size() + 1> responses_{};  ///< the last: all others
    DurationHistogram<14> response_times_;
    Histogram<13> latency_;
    Histogram<11> batches_;
    std::array<Counter, kinds> errors_{};
};

}  // namespace sftdyn::telemetry
