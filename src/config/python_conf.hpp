// SPDX-License-Identifier: GPL-3.0-or-later
// The settings of a Python conf: what its names say, validated.
#pragma once

#include "config/settings.hpp"
#include "config/toml_reader.hpp"
#include "python/conf.hpp"

namespace sftdyn::config {

/// Reads what the conf sets into `settings`. Its CLIENTS are read when it has no get_host. `path`
/// is for messages and relative paths.
[[nodiscard]] Diagnostics read_python_conf(const python::Conf& conf, const std::string& path,
                                           Settings& settings);

}  // namespace sftdyn::config
