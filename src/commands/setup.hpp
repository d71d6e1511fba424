// SPDX-License-Identifier: GPL-3.0-or-later
// The `setup` command: makes the files with which a DNS server and sftdyn work together for one
// zone, in Debian's layout.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_setup(CommandLine& line);

}  // namespace sftdyn::commands
