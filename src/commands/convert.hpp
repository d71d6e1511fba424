// SPDX-License-Identifier: GPL-3.0-or-later
// The `convert` command: the TOML file that says the same as a Python conf.
#pragma once

#include <string>
#include <vector>

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// A Python conf in TOML.
struct Conversion {
    std::string toml{};
    std::vector<std::string> lost{};  ///< what could not be carried over, in words
};

/// Of a Python conf that was loaded without diagnostics. Its hooks are tried, on this thread.
[[nodiscard]] Conversion convert(const config::Loaded& loaded);

void add_convert(CommandLine& line);

}  // namespace sftdyn::commands
