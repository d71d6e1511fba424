// SPDX-License-Identifier: GPL-3.0-or-later
// What the plugin has in Python, and how its functions end whatever Python raises.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// What the plugin has in Python. It is never freed: the interpreter lives as long as the program.
struct SharedObjects {
    py::module_ support;
    py::module_ own;  ///< with the class Headers
    py::object address, line, script, told, shown, timeout, pair_number, forget_pair;

    base::Mutex mutex{};
    /// Of confs that are gone, to be let go with the lock in hand.
    std::vector<py::object> dropped GUARDED_BY(mutex){};
};

/// Made once, before anything else here; whoever uses the objects holds the interpreter's lock.
extern SharedObjects* shared;

/// Keeps an object for somebody with the lock. On any thread.
void drop_later(py::object object);
/// Lets go what was kept; with the lock.
void drop_now();

/// What `run` gives, or what `failed` makes of the exception that has ended it: every function of
/// the plugin is in here. Telling of an exception is Python too, which may raise the next one: then
/// it is `otherwise`. Whoever calls holds the lock, also until all exceptions are gone.
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
        return otherwise;  // pybind11's: its text may quote the conf's values
    }
}

/// What `teller`, a function of support.py, says of an exception.
[[nodiscard]] base::Error diagnostic(const char* teller, const std::string& path,
                                     py::error_already_set& error);
[[nodiscard]] base::Error diagnostic_of_unknown(const std::string& path);

}  // namespace sftdyn::python
