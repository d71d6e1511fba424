// SPDX-License-Identifier: GPL-3.0-or-later
// The `client` command: prints the settings to enter in one client's router or machine.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_client(CommandLine& line);

}  // namespace sftdyn::commands
