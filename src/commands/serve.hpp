// SPDX-License-Identifier: GPL-3.0-or-later
// What the program does without a command: it serves.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// The program's own options, which are those of serving.
void add_serve(CommandLine& line);

/// Returns the exit status.
int serve(const config::Overrides& overrides, const Console& console);

}  // namespace sftdyn::commands
