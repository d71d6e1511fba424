// SPDX-License-Identifier: GPL-3.0-or-later
// A Python conf that was run: its settings, clients and hooks.
#pragma once

#include <memory>
#include <string>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// Runs the file on this thread. Needs the interpreter's lock; the conf may be destroyed without
/// it.
[[nodiscard]] base::Result<std::shared_ptr<const Conf>> run_conf(const std::string& path);

}  // namespace sftdyn::python
