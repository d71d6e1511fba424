// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace sftdyn::telemetry {
namespace {

void describe(std::string& out, const char* name, const char* type, const char* help) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <class T>
void value(std::string& out, const char* name, const char* type, const char* help,
           const T& number) {
    describe(out, name, type, help);
    out += fmt::format("{} {}\n", name, number);
}

template <class Counted>
void histogram(std::string& out, const char* name, const char* help, const Counted& counted) {
    describe(out, name, "histogram", help);
    const std::size_t bounds = counted.bounds().size();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= bounds; ++i) {
        sum += counted.count(i);
        out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name,
                           i < bounds ? fmt::to_string(counted.bounds()[i]) : "+Inf", sum);
    }
    out += fmt::format("{}_sum {}\n{}_count {}\n", name, counted.sum(), name, sum);
}

const char* text_of(dns::ErrorKind kind) {
    static constexpr const char* texts[] = {
        "key_file",        "unreachable",   "timeout",        "connection", "malformed",
        "unsigned_answer", "forged_answer", "bad_signature",  "bad_key",    "bad_time",
        "rcode",           "no_zone",       "cname_conflict", "not_seen",   "deadline_exceeded"};
    return texts[static_cast<std::size_t>(kind)];
}

/// Escapes a label's value as the exposition format requires.
std::string label(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

/// The metrics that Prometheus's client libraries provide for every process.
void process_figures(std::string& out) {
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        value(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
              seconds(usage.ru_utime) + seconds(usage.ru_stime));
    std::size_t pages = 0, resident = 0;
    if (std::ifstream("/proc/self/statm") >> pages >> resident) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        value(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", pages * page);
        value(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident * page);
    }
    std::error_code error;  // without access, the metric is left out
    std::size_t descriptors = 0;
    for (auto file = std::filesystem::directory_iterator("/proc/self/fd", error);
         !error && file != std::filesystem::directory_iterator(); file.increment(error))
        ++descriptors;
    if (!error) value(out, "process_open_fds", "gauge", "Open file descriptors.", descriptors);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        value(out, "process_max_fds", "gauge", "File descriptors that may be open.",
              limit.rlim_cur);
}

const std::time_t started = std::time(nullptr);

}  // namespace

const char* text_of(DialectLabel dialect) {
    static constexpr const char* texts[dialects] = {"secret_url", "dyndns2", "duckdns", "freedns",
                                                    "none"};
    return texts[static_cast<std::size_t>(dialect)];
}

const char* text_of(RequestOutcome outcome) {
    static constexpr const char* texts[outcomes] = {"ok",      "uptodate", "badkey",
                                                    "abuse",   "fail",     "overloaded",
                                                    "address", "refused",  "no_credential"};
    return texts[static_cast<std::size_t>(outcome)];
}

Metrics::Metrics()
    : response_times_(
          {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}),
      latency_({0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}),
      batches_({1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000}) {}

void Metrics::response(unsigned status, base::Duration took) {
    response(status);
    response_times_.add(took);
}

void Metrics::response(unsigned status) {
    const auto found = std::lower_bound(http_statuses.begin(), http_statuses.end(), status);
    const bool is_known = found != http_statuses.end() && *found == status;
    responses_[is_known ? static_cast<std::size_t>(found - http_statuses.begin())
                        : http_statuses.size()]
        .add();
}

void Metrics::update(std::size_t changes, base::Duration took) {
    latency_.add(std::chrono::duration<double>(took).count());
    batches_.add(static_cast<double>(changes));
}

void Metrics::dns_error(dns::ErrorKind kind) { errors_[static_cast<std::size_t>(kind)].add(); }

std::string Metrics::text(const Now& now, std::string_view version) const {
    std::string out;
    describe(out, "sftdyn_build_info", "gauge", "The version that runs.");
    out += fmt::format("sftdyn_build_info{{version=\"{}\"}} 1\n", version);
    describe(out, "sftdyn_requests_total", "counter",
             "Requests by dialect and outcome; of several hosts in one request each is counted.");
    for (std::size_t dialect = 0; dialect < dialects; ++dialect) {
        for (std::size_t outcome = 0; outcome < outcomes; ++outcome) {
            out += fmt::format("sftdyn_requests_total{{dialect=\"{}\",outcome=\"{}\"}} {}\n",
                               text_of(static_cast<DialectLabel>(dialect)),
                               text_of(static_cast<RequestOutcome>(outcome)),
                               requests_[dialect][outcome].value());
        }
    }
    describe(out, "sftdyn_http_responses_total", "counter", "HTTP responses by status.");
    for (std::size_t i = 0; i < responses_.size(); ++i)
        out += fmt::format("sftdyn_http_responses_total{{code=\"{}\"}} {}\n",
                           i < http_statuses.size() ? fmt::to_string(http_statuses[i]) : "other",
                           responses_[i].value());
    histogram(out, "sftdyn_request_seconds", "Time from a request's arrival to its response.",
              response_times_);
    histogram(out, "sftdyn_update_seconds", "Time from an UPDATE's sending to its answer.",
              latency_);
    histogram(out, "sftdyn_update_changes", "Changes in an UPDATE.", batches_);
    describe(out, "sftdyn_dns_errors_total", "counter",
             "What went wrong with DNS servers, by kind; one for each host that it kept from its "
             "change.");
    for (std::size_t kind = 0; kind < kinds; ++kind)
        out += fmt::format("sftdyn_dns_errors_total{{kind=\"{}\"}} {}\n",
                           text_of(static_cast<dns::ErrorKind>(kind)), errors_[kind].value());
    value(out, "sftdyn_waiting", "gauge", "Requests that wait for the DNS server.", now.waiting);
    value(out, "sftdyn_connections", "gauge", "Open HTTP and HTTPS connections.", now.connections);
    value(out, "sftdyn_clients", "gauge", "Clients in the configuration.", now.clients);
    value(out, "sftdyn_stale_hosts", "gauge",
          "Hosts none of whose addresses has checked in for stale_after.", now.stale_hosts);
    value(out, "sftdyn_ready", "gauge",
          "1 when requests can be served: of each DNS server an address answers and takes the key, "
          "and no zone has had an unanswered UPDATE for longer than a request may take.",
          now.ready ? 1 : 0);
    if (!now.servers.empty())
        describe(out, "sftdyn_server_up", "gauge",
                 "1 when this address of a DNS server answers and takes the key; zone is empty "
                 "unless it is a [[zone]]'s.");
    for (const auto& server : now.servers)
        out += fmt::format("sftdyn_server_up{{server=\"{}\",zone=\"{}\"}} {}\n",
                           label(server.address), label(server.zone), server.up ? 1 : 0);
    if (!now.event_commands.empty()) {
        describe(out, "sftdyn_event_commands_total", "counter",
                 "Outcomes of the event command ([admin] event_command).");
        for (const auto& [outcome, count] : now.event_commands)
            out +=
                fmt::format("sftdyn_event_commands_total{{outcome=\"{}\"}} {}\n", outcome, count);
        value(out, "sftdyn_event_commands_waiting", "gauge",
              "Events that the event command was not told of yet.", now.event_commands_waiting);
    }
    if (!now.certificates.empty())
        describe(out, "sftdyn_certificate_expiry_timestamp_seconds", "gauge",
                 "When a certificate expires, in seconds since 1970; of several with one name, the "
                 "one that expires first.");
    for (const auto& [name, expiry] : now.certificates)
        out += fmt::format("sftdyn_certificate_expiry_timestamp_seconds{{name=\"{}\"}} {}\n",
                           label(name), expiry);
    value(out, "sftdyn_config_last_reload_successful", "gauge",
          "1 when the configuration in use is the one that was last loaded.",
          now.is_reload_successful ? 1 : 0);
    value(out, "sftdyn_config_last_reload_success_timestamp_seconds", "gauge",
          "When the configuration in use was loaded, in seconds since 1970.", now.reload_time);
    process_figures(out);
    value(out, "process_start_time_seconds", "gauge",
          "When the process began, in seconds since 1970.", started);
    return out;
}

}  // namespace sftdyn::telemetry
