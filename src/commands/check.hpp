// The `check` command: everything that is wrong with a configuration, in one go.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// Returns the exit status: 1 when anything is wrong.
int run_check(const CommandLine& line);

}  // namespace sftdyn::commands
