// The `status` command: what the running program says of itself, with the hosts that have gone quiet first.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status: 1 when the program can't be asked.
int run_status(const config::CommandLine& line);

}  // namespace sftdyn::cli
