// SPDX-License-Identifier: GPL-3.0-or-later
// What is told to those who run the program: the page of metrics, health and readiness over HTTP.
#pragma once

#include <functional>

#include "http/handler.hpp"
#include "telemetry/metrics.hpp"

namespace sftdyn::server {

/// Answers `/metrics`, `/healthz` and `/readyz`.
class MetricsPage : public http::Handler {
public:
    /// What of it is needed: all that is not needed may be left out.
    enum class Needed : std::uint8_t { readiness, all };
    /// `gather` calls back with what is so now, on any thread.
    using Gathered = std::function<void(const telemetry::Metrics::Now&)>;
    using Gather = std::function<void(Needed needed, Gathered)>;
    /// Whether the engine's thread runs what it is given. It may wait for that a while, but for
    /// nothing else.
    using IsAlive = std::function<bool()>;
    MetricsPage(const telemetry::Metrics& metrics, Gather gather, IsAlive is_alive)
        : metrics_(metrics), gather_(std::move(gather)), is_alive_(std::move(is_alive)) {}

    /// It is the same for everybody, so that it may be on a Unix socket too.
    [[nodiscard]] bool needs_client() const override { return false; }
    std::optional<http::Response> handle(const http::Request& request,
                                         const std::function<http::Later()>& defer) override;

private:
    const telemetry::Metrics& metrics_;
    Gather gather_;
    IsAlive is_alive_;
};

}  // namespace sftdyn::server
