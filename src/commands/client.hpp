// The `client` command: everything to paste into one client's router or machine.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// Returns the exit status: 1 when there is no such client, or the configuration is not good.
int run_client(const CommandLine& line);

}  // namespace sftdyn::commands
