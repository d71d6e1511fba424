// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/metrics_page.hpp"

namespace sftdyn::server {
namespace {

// https://prometheus.io/docs/instrumenting/exposition_formats/
constexpr std::string_view metrics_text = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* not_ready =
    "not ready: a DNS server does not answer at any of its addresses or does not take the key, or "
    "an UPDATE has been unanswered for long; `sftdyn status` says which\n";

}  // namespace

std::optional<http::Response> MetricsPage::handle(const http::Request& request,
                                                  const std::function<http::Later()>& defer) {
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    if (path != "/metrics" && path != "/healthz" && path != "/readyz")
        return http::Response{404, "there is /metrics, /healthz and /readyz\n"};
    if (request.method != "GET") return http::Response{405, "METHOD NOT ALLOWED", "GET"};
    // Does not depend on the DNS servers: a restart of the program would not help.
    if (path == "/healthz")
        return is_alive_() ? http::Response{200, "alive\n"}
                           : http::Response{503, "the engine's thread does not answer\n"};
    if (path == "/readyz") {
        gather_(Needed::readiness, [later = defer()](const telemetry::Metrics::Now& now) {
            later(now.ready ? http::Response{200, "ready\n"} : http::Response{503, not_ready});
        });
        return std::nullopt;
    }
    gather_(Needed::all, [this, later = defer()](const telemetry::Metrics::Now& now) {
        http::Response response{200, metrics_.text(now, SFTDYN_VERSION)};
        response.content_type = metrics_text;
        later(std::move(response));
    });
    return std::nullopt;
}

}  // namespace sftdyn::server
