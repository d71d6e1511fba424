// The `client` command: everything to paste into one client's router or machine.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status: 1 when there is no such client, or the configuration is not good.
int run_client(const config::CommandLine& line);

}  // namespace sftdyn::cli
