// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/metrics_page.hpp"

#include <gmock/gmock.h>

namespace sftdyn::server {
namespace {

using testing::HasSubstr;

class MetricsPageTest : public testing::Test {
protected:
    /// The answer to `target`, and what was gathered for it.
    http::Response ask(std::string_view target, std::string_view method = "GET") {
        std::optional<http::Response> later;
        const auto now = page.handle({method, target, {}}, [&]() -> http::Later {
            return [&later](http::Response response) { later = std::move(response); };
        });
        EXPECT_NE(now.has_value(), gathered.size() == 1) << "it is told at once, or asked for";
        if (now) return *now;
        EXPECT_FALSE(later) << "it waits for what is gathered";
        gathered[0](so_now);
        gathered.clear();
        return later.value_or(http::Response{});
    }

    telemetry::Metrics metrics;
    telemetry::Metrics::Now so_now;
    std::vector<MetricsPage::Gathered> gathered;
    MetricsPage::Needed needed{};
    bool alive = true;
    MetricsPage page{metrics,
                     [this](MetricsPage::Needed what, MetricsPage::Gathered done) {
                         needed = what;
                         gathered.push_back(std::move(done));
                     },
                     [this] { return alive; }};
};

TEST_F(MetricsPageTest, MetricsAreInPrometheussFormat) {
    metrics.request(telemetry::DialectLabel::duckdns, telemetry::RequestOutcome::ok);
    so_now.clients = 12;
    const auto response = ask("/metrics");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(needed, MetricsPage::Needed::all);
    EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(response.body,
                HasSubstr("sftdyn_requests_total{dialect=\"duckdns\",outcome=\"ok\"} 1\n"));
    EXPECT_THAT(response.body, HasSubstr("\nsftdyn_clients 12\n"));
    EXPECT_THAT(response.body, HasSubstr("version=\"" SFTDYN_VERSION "\""));
    EXPECT_EQ(ask("/metrics?x=1").status, 200U) << "what stands behind a question mark is nothing";
}

TEST_F(MetricsPageTest, HealthIsThatTheEngineLives) {
    const auto response = ask("/healthz");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "alive\n");
    EXPECT_EQ(response.content_type, http::plain_text);
    alive = false;
    EXPECT_EQ(ask("/healthz").status, 503U);
    EXPECT_THAT(gathered, testing::IsEmpty()) << "it asks for nothing else";
}

TEST_F(MetricsPageTest, ReadinessIsThatRequestsCanBeServed) {
    so_now.ready = true;
    EXPECT_EQ(ask("/readyz").status, 200U);
    EXPECT_EQ(ask("/readyz").body, "ready\n");
    EXPECT_EQ(needed, MetricsPage::Needed::readiness);
    so_now.ready = false;
    EXPECT_EQ(ask("/readyz").status, 503U);
    EXPECT_THAT(ask("/readyz").body, testing::StartsWith("not ready: "));
}

TEST_F(MetricsPageTest, OtherPathsAndMethodsAskForNothing) {
    for (const char* target : {"/", "/metric", "/metrics/", "/readyz/x", "/?/metrics"}) {
        EXPECT_EQ(ask(target).status, 404U) << target;
        EXPECT_EQ(ask(target, "POST").status, 404U) << target;
    }
    for (const char* target : {"/metrics", "/healthz", "/readyz"}) {
        for (const char* method : {"POST", "HEAD", "get"}) {
            const auto response = ask(target, method);
            EXPECT_EQ(response.status, 405U) << target;
            EXPECT_EQ(response.allow, "GET");
        }
    }
}

}  // namespace
}  // namespace sftdyn::server
