// The `demo` command: everything at work on one machine, with nothing to set up and nothing left
// behind.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// Returns the exit status.
int run_demo(const CommandLine& line);

}  // namespace sftdyn::commands
