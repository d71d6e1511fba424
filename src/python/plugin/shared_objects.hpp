// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's Python objects, and how its functions handle Python exceptions.
#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>

#include "base/mutex.hpp"
#include "base/result.hpp"
#include "python/plugin/python.hpp"
#include "python/plugin/thread_state.hpp"

namespace sftdyn::python {

/// The objects of a destroyed conf, to be released with the interpreter's lock held. Made with the
/// conf, since its destructor must not lack memory.
struct DroppedObjects {
    std::array<py::object, 6> objects{};
    std::unique_ptr<DroppedObjects> next{};
};

/// The plugin's Python objects. Never freed: the interpreter lives as long as the program.
struct SharedObjects {
    py::module_ support;
    py::module_ own;  ///< with the class Headers
    py::object address, line, script, kind_of_failure, text_of_failure, shown, timeout, pair_number,
        forget_pair;

    base::Mutex mutex{};
    std::unique_ptr<DroppedObjects> dropped GUARDED_BY(mutex){};  ///< the first of them
};

/// Created once, before any other use of this file. Using the objects requires the interpreter's
/// lock.
extern SharedObjects* shared;

/// Set in a process that code of the conf has forked, and in which only that code may run: what
/// comes back from it would serve the same connections and jobs as the process itself.
extern std::atomic<bool> is_copy_of_process;

/// Ends the process with that status, if it is such a copy.
inline void end_copy_of_process(int status = 0) {
    if (is_copy_of_process.load(std::memory_order_relaxed)) _exit(status);
}
/// The same where an exception ends the conf's code, as Python would end.
void end_copy_of_process(const py::error_already_set& error);

/// Has `is_copy_of_process` set at each fork. False: no memory.
[[nodiscard]] bool watch_forks();

/// Queues objects to be released with the interpreter's lock held. Thread-safe; needs no memory.
void drop_later(std::unique_ptr<DroppedObjects> objects);
/// Releases the queued objects. Requires the interpreter's lock.
void drop_now();

/// Returns the result of `run`, or what `failed` makes of the Python exception that ended it; every
/// function of the plugin runs in here. `failed` runs Python code too, which may raise another
/// exception: then the result is `otherwise`, or what that returns. The caller must hold the
/// interpreter's lock until all exceptions are destroyed. A process that the conf's code has forked
/// ends here.
template <class Result, class Run, class Failed, class Otherwise>
Result guarded(const Run& run, const Failed& failed, const Otherwise& otherwise) {
    try {
        try {
            Result result = run();
            end_copy_of_process();
            return result;
        } catch (py::error_already_set& error) {
            end_copy_of_process(error);
            return failed(error);
        }
    } catch (py::error_already_set&) {
    } catch (const std::exception&) {
        end_copy_of_process(1);
        // An exception of pybind11: its text may quote the conf's values.
    }
    if constexpr (std::is_invocable_v<Otherwise>) {
        return otherwise();
    } else {
        return otherwise;
    }
}

/// The diagnostic that `teller`, a function of diagnostics.py, gives for an exception.
[[nodiscard]] base::Error diagnostic(const char* teller, const std::string& path,
                                     py::error_already_set& error);
[[nodiscard]] base::Error diagnostic_of_unknown(const std::string& path);

}  // namespace sftdyn::python
