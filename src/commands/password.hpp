// SPDX-License-Identifier: GPL-3.0-or-later
// The `password` command: prints the hash of a password, for the configuration.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// At a terminal the command asks for the password twice; otherwise it reads the first line of
/// standard input.
void add_password(CommandLine& line);

}  // namespace sftdyn::commands
