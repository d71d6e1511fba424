// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/metrics_page.hpp"

namespace sftdyn::server {
namespace {

// https://prometheus.io/docs/instrumenting/exposition_formats/
constexpr std::string_view metrics_text = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

std::optional<http::Response> MetricsPage::handle(const http::Request& request,
                                                  const std::function<http::Later()>& defer) {
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    if (path != "/metrics" && path != "/healthz" && path != "/readyz")
        return http::Response{404, "there is /metrics, /healthz and /readyz\n"};
    if (request.method != "GET") return http::Response{405, "METHOD NOT ALLOWED", "GET"};
    // Whoever restarts the program because of it must not do so for what another server does.
    if (path == "/healthz")
        return is_alive_() ? http::Response{200, "alive\n"}
                           : http::Response{503, "the engine's thread does not answer\n"};
    gather_([this, path = std::string(path), later = defer()](const telemetry::Metrics::Now& now) {
        if (path == "/readyz")
            return later(
                {now.ready ? 200U : 503U,
                 now.ready
                     ? "ready\n"
                     : "not ready: a DNS server does not answer, or the key can't be used\n"});
        http::Response response{200, metrics_.text(now, SFTDYN_VERSION)};
        response.content_type = metrics_text;
        later(std::move(response));
    });
    return std::nullopt;
}

}  // namespace sftdyn::server
