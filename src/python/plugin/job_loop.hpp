// SPDX-License-Identifier: GPL-3.0-or-later
// A thread that serves jobs, and what event_loop.py needs of C++ for it.
#pragma once

#include <memory>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// Attaches the calling thread; without the interpreter's lock.
[[nodiscard]] std::unique_ptr<Attached> attach_thread();

/// Makes what event_loop.py calls known to Python, in `module`.
void define_job_loop(py::module_& module);

}  // namespace sftdyn::python
