// SPDX-License-Identifier: GPL-3.0-or-later
// What the program counts of itself, as Prometheus reads it (the text format 0.0.4). Labels are of
// fixed sets, or stand in the configuration; none is a secret.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "dns/error.hpp"
#include "telemetry/counter.hpp"

namespace sftdyn::telemetry {

/// As the label of a metric and the field of the log have it. `none`: of a request that nobody
/// could read.
enum class DialectLabel : std::uint8_t { secret_url, dyndns2, duckdns, freedns, none };
constexpr std::size_t dialects = 5;
/// What a request ended in; of several hosts in one request each is counted.
enum class RequestOutcome : std::uint8_t {
    ok,
    uptodate,
    badkey,
    abuse,
    fail,
    overloaded,
    address,       ///< it asked for its own, and was told
    refused,       ///< what it asks for is not done, whoever asks, or it can't be read
    no_credential  ///< it sent none; many clients only then send what they have
};
constexpr std::size_t outcomes = 9;

[[nodiscard]] const char* text_of(DialectLabel dialect);
[[nodiscard]] const char* text_of(RequestOutcome outcome);

/// Owned by `RequestLog`. `request` and `text` may be called on any thread, and what counts for the
/// DNS on the engine's.
class Metrics {
public:
    Metrics();

    void request(DialectLabel dialect, RequestOutcome outcome) {
        requests_[static_cast<std::size_t>(dialect)][static_cast<std::size_t>(outcome)].add();
    }
    /// An UPDATE that was answered, or given up. On the engine's thread.
    void update(std::size_t changes, base::Duration took);
    /// What went wrong with the DNS. On the engine's thread.
    void dns_error(dns::ErrorKind kind);

    /// Whether an address of a DNS server answers.
    struct Server {
        std::string address{}, zone{};  ///< zone: that it is for; empty: all without their own
        bool up = false;
    };

    /// What is only known at the moment of asking.
    struct Now {
        std::size_t waiting = 0;      ///< requests in the engine
        std::size_t connections = 0;  ///< of HTTP
        std::size_t clients = 0;      ///< in the configuration
        std::size_t stale_hosts = 0;
        bool ready = false;             ///< requests can be served
        std::vector<Server> servers{};  ///< each once
        std::vector<std::pair<const char*, std::uint64_t>>
            event_commands{};  ///< outcome of the event command, and how often; empty: none
        std::size_t event_commands_waiting = 0;  ///< events that it has not been told of
        std::vector<std::pair<std::string, std::chrono::seconds>>
            certificates{};  ///< name, each once, and how long it is valid
    };
    [[nodiscard]] std::string text(const Now& now, std::string_view version) const;

private:
    static constexpr std::size_t kinds =
        static_cast<std::size_t>(dns::ErrorKind::deadline_exceeded) + 1;
    std::array<std::array<Counter, outcomes>, dialects> requests_{};
    Histogram<13> latency_;
    Histogram<11> batches_;
    std::array<Counter, kinds> errors_{};
};

}  // namespace sftdyn::telemetry
