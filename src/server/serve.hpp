// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the service, from the first load of the configuration to the exit status.
#pragma once

#include <vector>

#include "config/load.hpp"
#include "http/server.hpp"
#include "server/service.hpp"

namespace sftdyn::server {

/// Serves until SIGTERM or SIGINT; SIGHUP reloads the configuration. `passed` are sockets that
/// systemd opened. Returns the exit status.
int serve(const config::Load& load, const Service::Ready& ready,
          std::vector<http::Endpoint> passed = {});

}  // namespace sftdyn::server
