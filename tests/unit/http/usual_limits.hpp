// SPDX-License-Identifier: GPL-3.0-or-later
// Limits as a configuration without any has them.
#pragma once

#include "http/limits.hpp"

namespace sftdyn::http {

inline Limits usual_limits() {
    using namespace std::chrono_literals;
    return {.handshake_time = 10s,
            .header_time = 10s,
            .idle_time = 60s,
            .write_time = 30s,
            .header_octets = 16 * 1024,
            .body_octets = 64 * 1024,
            .connections = 2500,
            .connections_per_client = 100,
            .requests_per_connection = 1000};
}

}  // namespace sftdyn::http
