// SPDX-License-Identifier: GPL-3.0-or-later
// The `setup` command: all that a DNS server and sftdyn need to work together for one zone, as
// Debian lays it out.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_setup(CommandLine& line);

}  // namespace sftdyn::commands
