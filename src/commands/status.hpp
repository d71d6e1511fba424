// SPDX-License-Identifier: GPL-3.0-or-later
// The `status` command: what the running program says of itself, with the hosts that have not
// checked in for longest first.
#pragma once

#include <string>

#include "base/result.hpp"
#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// The control socket where the configuration names none.
constexpr const char* usual_socket = "/run/sftdyn/control";

/// The document that the program behind a control socket tells; blocks until it is there.
[[nodiscard]] base::Result<std::string> ask_status(const std::string& path);

void add_status(CommandLine& line);

}  // namespace sftdyn::commands
