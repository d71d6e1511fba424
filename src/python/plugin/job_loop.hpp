// SPDX-License-Identifier: GPL-3.0-or-later
// A thread that serves jobs, and the C++ functions that event_loop.py needs.
#pragma once

#include <memory>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// Attaches the calling thread. Called without the interpreter's lock.
[[nodiscard]] std::unique_ptr<Attached> attach_thread();

/// Defines the functions and classes for event_loop.py in `module`.
void define_job_loop(py::module_& module);

}  // namespace sftdyn::python
