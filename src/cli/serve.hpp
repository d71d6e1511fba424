// The `serve` command: the rooms put together, signals, reload and a clean end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/load.hpp"
#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Serves until SIGTERM or SIGINT; SIGHUP loads anew. `ready` is called with the addresses listened on.
/// Returns the exit status.
int serve(const Load& load, const std::function<void(const std::vector<std::string>& addresses)>& ready);

/// `sftdyn [CONF]`.
int run_serve(const config::CommandLine& line);

}  // namespace sftdyn::cli
