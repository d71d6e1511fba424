// SPDX-License-Identifier: GPL-3.0-or-later
// The `check` command: everything that is wrong with a configuration, in one go. Its exit status is
// 1 when anything is.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_check(CommandLine& line);

}  // namespace sftdyn::commands
