// The `serve` command, which is what `sftdyn` without a command does.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// `sftdyn [CONF]`: serves until SIGTERM or SIGINT. Returns the exit status.
int run_serve(const CommandLine& line);

}  // namespace sftdyn::commands
