// The running service: the folders put together, signals, reload and a clean end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace sftdyn::server {

/// Serves until SIGTERM or SIGINT; SIGHUP loads anew. `ready` is called with the addresses listened
/// on. Returns the exit status.
int serve(const config::Load& load,
          const std::function<void(const std::vector<std::string>& addresses)>& ready);

}  // namespace sftdyn::server
