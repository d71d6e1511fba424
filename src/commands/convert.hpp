// SPDX-License-Identifier: GPL-3.0-or-later
// The `convert` command: the TOML file that says the same as a Python conf.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_convert(CommandLine& line);

}  // namespace sftdyn::commands
