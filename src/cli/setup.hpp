// The `setup` command: all that a DNS server and sftdyn need to work together for one zone, as Debian lays it out.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status.
int run_setup(const config::CommandLine& line);

}  // namespace sftdyn::cli
