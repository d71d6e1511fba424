// SPDX-License-Identifier: GPL-3.0-or-later
// Limits as a configuration without any has them.
#pragma once

#include "update/engine_limits.hpp"

namespace sftdyn::update {

inline EngineLimits usual_limits() {
    EngineLimits out;
    out.timeout = std::chrono::seconds(5);
    out.freshness = std::chrono::seconds(300);
    out.queue = 10000;
    out.batch = 1000;
    out.updates_in_flight = 1;
    out.queries_in_flight = 100;
    out.changes_burst = 10;
    out.changes_refill = std::chrono::seconds(30);
    return out;
}

}  // namespace sftdyn::update
