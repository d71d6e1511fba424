// SPDX-License-Identifier: GPL-3.0-or-later
// The `status` command: prints the status of the running program. The hosts whose last check-in is
// the oldest come first.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_status(CommandLine& line);

}  // namespace sftdyn::commands
