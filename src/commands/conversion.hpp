// SPDX-License-Identifier: GPL-3.0-or-later
// Converts a Python conf to an equivalent TOML file.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"
#include "python/conf.hpp"

namespace sftdyn::commands {

/// A Python conf in TOML.
struct Conversion {
    std::string toml{};
    std::vector<std::string> lost{};  ///< sentences about what could not be converted
};

/// Converts a Python conf that was loaded without diagnostics. Calls its hooks on this thread.
[[nodiscard]] Conversion convert(const config::Loaded& loaded);

}  // namespace sftdyn::commands
