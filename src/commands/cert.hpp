// SPDX-License-Identifier: GPL-3.0-or-later
// The `cert` command: a private key and a self-signed certificate, ready for `https`.
#pragma once

#include "commands/command_line.hpp"

namespace sftdyn::commands {

void add_cert(CommandLine& line);

}  // namespace sftdyn::commands
