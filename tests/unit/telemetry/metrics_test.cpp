// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/metrics.hpp"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>

namespace sftdyn::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, RequestsAreCountedByAllThreads) {
    Metrics metrics;
    std::vector<std::thread> threads;
    for (int i = 0; i < 10; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                metrics.request(DialectLabel::dyndns2, RequestOutcome::uptodate);
        });
    }
    for (auto& thread : threads) thread.join();
    const std::string text = metrics.text({}, "1");
    EXPECT_THAT(
        text, HasSubstr("sftdyn_requests_total{dialect=\"dyndns2\",outcome=\"uptodate\"} 10000\n"));
    EXPECT_THAT(text, HasSubstr("sftdyn_requests_total{dialect=\"dyndns2\",outcome=\"ok\"} 0\n"));
}

TEST(Metrics, HistogramsAreCumulative) {
    Metrics metrics;
    metrics.update(1, 700us);
    metrics.update(3, 1ms);
    metrics.update(9000, 10s);
    const std::string text = metrics.text({}, "1");
    for (const char* line :
         {"sftdyn_update_seconds_bucket{le=\"0.0005\"} 0\n",
          "sftdyn_update_seconds_bucket{le=\"0.001\"} 2\n",
          "sftdyn_update_seconds_bucket{le=\"5\"} 2\n",
          "sftdyn_update_seconds_bucket{le=\"+Inf\"} 3\n", "sftdyn_update_seconds_count 3\n",
          "sftdyn_update_changes_bucket{le=\"1\"} 1\n",
          "sftdyn_update_changes_bucket{le=\"5\"} 2\n",
          "sftdyn_update_changes_bucket{le=\"5000\"} 2\n", "sftdyn_update_changes_sum 9004\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, EveryKindOfErrorHasItsName) {
    using Kind = dns::ErrorKind;
    const std::vector<std::pair<Kind, std::string>> names{
        {Kind::key_file, "key_file"},
        {Kind::unreachable, "unreachable"},
        {Kind::timeout, "timeout"},
        {Kind::connection, "connection"},
        {Kind::malformed, "malformed"},
        {Kind::unsigned_answer, "unsigned_answer"},
        {Kind::forged_answer, "forged_answer"},
        {Kind::bad_signature, "bad_signature"},
        {Kind::bad_key, "bad_key"},
        {Kind::bad_time, "bad_time"},
        {Kind::rcode, "rcode"},
        {Kind::no_zone, "no_zone"},
        {Kind::cname_conflict, "cname_conflict"},
        {Kind::deadline_exceeded, "deadline_exceeded"}};
    for (const auto& [kind, name] : names) {
        Metrics metrics;
        metrics.dns_error(kind);
        const std::string text = metrics.text({}, "1");
        for (const auto& [other, its_name] : names)
            EXPECT_THAT(text, HasSubstr("sftdyn_dns_errors_total{kind=\"" + its_name + "\"} " +
                                        (other == kind ? "1\n" : "0\n")));
    }
}

TEST(Metrics, ResponsesAreCountedByStatusAndDuration) {
    ASSERT_TRUE(std::is_sorted(http_statuses.begin(), http_statuses.end()));
    Metrics metrics;
    metrics.response(200, 100us);
    metrics.response(200, 2ms);
    metrics.response(503, 7s);
    metrics.response(431);
    metrics.response(299);
    const std::string text = metrics.text({}, "1");
    for (const char* line :
         {"sftdyn_http_responses_total{code=\"200\"} 2\n",
          "sftdyn_http_responses_total{code=\"403\"} 0\n",
          "sftdyn_http_responses_total{code=\"431\"} 1\n",
          "sftdyn_http_responses_total{code=\"503\"} 1\n",
          "sftdyn_http_responses_total{code=\"other\"} 1\n",
          "sftdyn_request_seconds_bucket{le=\"0.0001\"} 1\n",
          "sftdyn_request_seconds_bucket{le=\"0.001\"} 1\n",
          "sftdyn_request_seconds_bucket{le=\"0.0025\"} 2\n",
          "sftdyn_request_seconds_bucket{le=\"5\"} 2\n",
          "sftdyn_request_seconds_bucket{le=\"+Inf\"} 3\n", "sftdyn_request_seconds_sum 7.0021\n",
          "sftdyn_request_seconds_count 3\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, WhatIsSoNow) {
    const Metrics metrics;
    Metrics::Now now;
    now.waiting = 4;
    now.connections = 5;
    now.stale_hosts = 6;
    now.ready = true;
    now.servers = {{"192.0.2.1:53", "", true}, {"[2001:db8::1]:53", "a.example", false}};
    now.certificates = {{"a\"b\\c", 1700000000}};
    now.is_reload_successful = false;
    now.reload_time = 1600000000;
    const std::string text = metrics.text(now, "1.2.3");
    for (const char* line :
         {"sftdyn_build_info{version=\"1.2.3\"} 1\n", "sftdyn_waiting 4\n",
          "sftdyn_connections 5\n", "sftdyn_stale_hosts 6\n", "sftdyn_ready 1\n",
          "sftdyn_config_last_reload_successful 0\n",
          "sftdyn_config_last_reload_success_timestamp_seconds 1600000000\n",
          "sftdyn_server_up{server=\"192.0.2.1:53\",zone=\"\"} 1\n",
          "sftdyn_server_up{server=\"[2001:db8::1]:53\",zone=\"a.example\"} 0\n",
          "sftdyn_certificate_expiry_timestamp_seconds{name=\"a\\\"b\\\\c\"} 1700000000\n"})
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(metrics.text({}, "1"), Not(HasSubstr("sftdyn_certificate")));
    EXPECT_THAT(metrics.text({}, "1"), Not(HasSubstr("sftdyn_server_up")));
}

}  // namespace
}  // namespace sftdyn::telemetry
