// The `convert` command: the TOML file that says the same as a Python conf.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// Returns the exit status: 1 when something of the conf could not be carried over; it is said
/// what.
int run_convert(const CommandLine& line);

}  // namespace sftdyn::commands
