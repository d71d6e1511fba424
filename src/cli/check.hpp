// The `check` command: everything that is wrong with a configuration, in one go.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status: 1 when anything is wrong.
int run_check(const config::CommandLine& line);

}  // namespace sftdyn::cli
