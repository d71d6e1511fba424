// The `demo` command: everything at work on one machine, with nothing to set up and nothing left behind.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status.
int run_demo(const config::CommandLine& line);

}  // namespace sftdyn::cli
