// SPDX-License-Identifier: GPL-3.0-or-later
// Serving, which the program does when no command is named.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// Adds the options of the program itself.
void add_serve(CommandLine& line);

/// Serves until the program is told to end. Returns the exit status.
int serve(const config::Overrides& overrides, const Console& console);

}  // namespace sftdyn::commands
