// SPDX-License-Identifier: GPL-3.0-or-later
// Reads and validates the settings of a Python conf.
#pragma once

#include "config/settings.hpp"
#include "config/toml_reader.hpp"
#include "python/conf.hpp"

namespace sftdyn::config {

/// Reads the conf's settings into `settings`, and its CLIENTS if it has no get_host. `path` is used
/// for messages and relative paths.
[[nodiscard]] Diagnostics read_python_conf(const python::Conf& conf, const std::string& path,
                                           Settings& settings);

}  // namespace sftdyn::config
