// SPDX-License-Identifier: GPL-3.0-or-later
// The `convert` command: writes the TOML file that is equivalent to a Python conf.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_convert(CommandLine& line);

}  // namespace sftdyn::commands
