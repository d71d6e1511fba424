// SPDX-License-Identifier: GPL-3.0-or-later
// The `forget` command: the running program forgets a host's check-ins.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_forget(CommandLine& line);

}  // namespace sftdyn::commands
