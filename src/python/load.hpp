// SPDX-License-Identifier: GPL-3.0-or-later
// Brings in the plugin that runs Python confs, when there is one to run.
#pragma once

#include "python/conf.hpp"

namespace sftdyn::python {

/// The interpreter: the same at each call. An error names the package that is missing.
[[nodiscard]] base::Result<Interpreter*> load_interpreter();

/// The same if it is there already; else null.
[[nodiscard]] Interpreter* loaded_interpreter();

}  // namespace sftdyn::python
