// SPDX-License-Identifier: GPL-3.0-or-later
// The `demo` command: everything at work on one machine, with nothing to set up and nothing left
// behind.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_demo(CommandLine& line);

}  // namespace sftdyn::commands
