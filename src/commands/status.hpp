// SPDX-License-Identifier: GPL-3.0-or-later
// The `status` command: what the running program says of itself, with the hosts that have not
// checked in for longest first.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_status(CommandLine& line);

}  // namespace sftdyn::commands
