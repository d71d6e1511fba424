// SPDX-License-Identifier: GPL-3.0-or-later
// The way to the sftdyn that runs: its control socket.
#pragma once

#include <string>

#include "base/result.hpp"
#include "commands/command_line.hpp"
#include "commands/common_options.hpp"

namespace sftdyn::commands {

/// The control socket where the configuration names none.
constexpr const char* usual_socket = "/run/sftdyn/control";

/// The configuration and the control socket, as options.
void add_control(CLI::App& app, const OverridesPtr& overrides, std::string& socket);

/// `socket` if it is not empty; else as the configuration says, which may be none that this user
/// can read, or a Python conf. What is wrong with it is said.
[[nodiscard]] std::string control_path(const config::Overrides& overrides,
                                       const std::string& socket, const Console& console);

/// What the program behind a control socket answers to a line; to none the status. Blocks until the
/// answer is there.
[[nodiscard]] base::Result<std::string> ask_control(const std::string& path,
                                                    const std::string& line = {});

}  // namespace sftdyn::commands
