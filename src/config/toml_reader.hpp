// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a TOML configuration file.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace sftdyn::config {

/// All errors of a file, in the order of the file; empty: it is valid.
using Diagnostics = std::vector<base::Error>;

/// Reads `path`, and the files that it includes, into `settings`. Errors have line and column;
/// `settings` are usable only when there are none. Relative paths in the file are relative to it.
[[nodiscard]] Diagnostics read_toml_file(const std::string& path, Settings& settings);

/// As `read_toml_file`, for a text; `path` is used for messages and relative paths. Included files
/// are read.
[[nodiscard]] Diagnostics read_toml(std::string_view text, const std::string& path,
                                    Settings& settings);

}  // namespace sftdyn::config
