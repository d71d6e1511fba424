// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's Python objects, and how its functions handle Python exceptions.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// The plugin's Python objects. Never freed: the interpreter lives as long as the program.
struct SharedObjects {
    py::module_ support;
    py::module_ own;  ///< with the class Headers
    py::object address, line, script, told, shown, timeout, pair_number, forget_pair;

    base::Mutex mutex{};
    /// Objects of destroyed confs, to be released with the interpreter's lock held.
    std::vector<py::object> dropped GUARDED_BY(mutex){};
};

/// Created once, before any other use of this file. Using the objects requires the interpreter's
/// lock.
extern SharedObjects* shared;

/// Queues an object to be released with the interpreter's lock held. Thread-safe.
void drop_later(py::object object);
/// Releases the queued objects. Requires the interpreter's lock.
void drop_now();

/// Returns the result of `run`, or what `failed` makes of the Python exception that ended it; every
/// function of the plugin runs in here. `failed` runs Python code too, which may raise another
/// exception: then the result is `otherwise`. The caller must hold the interpreter's lock until all
/// exceptions are destroyed.
template <class Result, class Run, class Failed, class Otherwise>
Result guarded(const Run& run, const Failed& failed, const Otherwise& otherwise) {
    try {
        try {
            return run();
        } catch (py::error_already_set& error) {
            return failed(error);
        }
    } catch (py::error_already_set&) {
        return otherwise;
    } catch (const std::exception&) {
        return otherwise;  // an exception of pybind11: its text may quote the conf's values
    }
}

/// The diagnostic that `teller`, a function of diagnostics.py, gives for an exception.
[[nodiscard]] base::Error diagnostic(const char* teller, const std::string& path,
                                     py::error_already_set& error);
[[nodiscard]] base::Error diagnostic_of_unknown(const std::string& path);

}  // namespace sftdyn::python
