// SPDX-License-Identifier: GPL-3.0-or-later
// Starts the service and serves, from the first load of the configuration to the exit status.
#pragma once

#include "config/load.hpp"
#include "server/service.hpp"

namespace sftdyn::server {

/// Serves until SIGTERM or SIGINT; SIGHUP loads anew. Returns the exit status.
int serve(const config::Load& load, const Service::Ready& ready);

}  // namespace sftdyn::server
