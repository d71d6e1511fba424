// SPDX-License-Identifier: GPL-3.0-or-later
// The `demo` command: runs sftdyn with a private DNS server on this machine. It needs no setup and
// leaves no files.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_demo(CommandLine& line);

}  // namespace sftdyn::commands
