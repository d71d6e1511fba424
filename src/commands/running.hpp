// SPDX-License-Identifier: GPL-3.0-or-later
// Talks to the running sftdyn by its control socket.
#pragma once

#include <string>

#include "base/result.hpp"
#include "commands/command_line.hpp"
#include "commands/common_options.hpp"

namespace sftdyn::commands {

/// The control socket when the configuration names none.
constexpr const char* usual_socket = "/run/sftdyn/control";

/// Adds the options for the configuration and the control socket.
void add_control(CLI::App& app, const OverridesPtr& overrides, std::string& socket);

/// The path of the control socket: `socket` if it is not empty, else that of the TOML
/// configuration, else `usual_socket`. Prints the errors of the configuration, unless it is the
/// default one and this user can't read it.
[[nodiscard]] std::string control_path(const config::Overrides& overrides,
                                       const std::string& socket, const Console& console);

/// Sends `line` to the program at a control socket and returns its answer; without a line, the
/// answer is the status. Blocks until the answer is complete.
[[nodiscard]] base::Result<std::string> ask_control(const std::string& path,
                                                    const std::string& line = {});

}  // namespace sftdyn::commands
