// SPDX-License-Identifier: GPL-3.0-or-later
// The `check` command: reports all errors and warnings of a configuration. Its exit status is 1
// when there is an error.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_check(CommandLine& line);

}  // namespace sftdyn::commands
