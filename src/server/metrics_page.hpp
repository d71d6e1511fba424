// SPDX-License-Identifier: GPL-3.0-or-later
// The HTTP pages for administrators: metrics, health and readiness.
#pragma once

#include <functional>

#include "http/handler.hpp"
#include "telemetry/metrics.hpp"

namespace sftdyn::server {

/// Answers `/metrics`, `/healthz` and `/readyz`.
class MetricsPage : public http::Handler {
public:
    /// The data that a page needs; the rest may be left out.
    enum class Needed : std::uint8_t { readiness, all };
    /// `gather` calls back with the current data, on any thread.
    using Gathered = std::function<void(const telemetry::Metrics::Now&)>;
    using Gather = std::function<void(Needed needed, Gathered)>;
    /// Whether the engine's thread responds. May wait for it for a while, but for nothing else.
    using IsAlive = std::function<bool()>;
    MetricsPage(const telemetry::Metrics& metrics, Gather gather, IsAlive is_alive)
        : metrics_(metrics), gather_(std::move(gather)), is_alive_(std::move(is_alive)) {}

    /// The pages do not depend on the client, so they may also be served on a Unix socket.
    [[nodiscard]] bool needs_client() const override { return false; }
    std::optional<http::Response> handle(const http::Request& request,
                                         const std::function<http::Later()>& defer) override;

private:
    const telemetry::Metrics& metrics_;
    Gather gather_;
    IsAlive is_alive_;
};

}  // namespace sftdyn::server
