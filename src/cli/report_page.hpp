// What is told to those who run the program: the page of metrics, health and readiness over HTTP.
#pragma once

#include <functional>

#include "http/handler.hpp"
#include "report/metrics.hpp"

namespace sftdyn::cli {

/// Answers `/metrics`, `/healthz` and `/readyz`.
class ReportPage : public http::Handler {
public:
    /// `gather` calls back with what is so now, on any thread; that it does shows that the engine is alive.
    using Gathered = std::function<void(const report::Metrics::Now&)>;
    using Gather = std::function<void(Gathered)>;
    ReportPage(const report::Metrics& metrics, Gather gather) : metrics_(metrics), gather_(std::move(gather)) {}

    std::optional<api::Response> handle(const api::Request& request, const std::function<http::Later()>& defer) override;

private:
    const report::Metrics& metrics_;
    Gather gather_;
};

}  // namespace sftdyn::cli
