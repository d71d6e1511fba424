// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a TOML configuration file.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace sftdyn::config {

/// Everything that is wrong with a file, in its order; empty when nothing is.
using Diagnostics = std::vector<base::Error>;

/// Reads `path` into `settings`. What is wrong is told with line and column; the settings are of
/// use only when nothing is. Relative paths in the file are relative to the file.
[[nodiscard]] Diagnostics read_toml_file(const std::string& path, Settings& settings);

/// As `read_toml_file`, for a text; `path` is for messages and relative paths.
[[nodiscard]] Diagnostics read_toml(std::string_view text, const std::string& path,
                                    Settings& settings);

}  // namespace sftdyn::config
