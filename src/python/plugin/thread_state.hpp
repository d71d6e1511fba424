// SPDX-License-Identifier: GPL-3.0-or-later
// CPython's states of threads, made so that lack of memory is an exception.
#pragma once

#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// To be called once, with the interpreter's lock held, before the first `new_thread_state`.
void prepare_thread_states();

/// Makes the state of the calling thread, which has none. Needs no lock. Throws std::bad_alloc;
/// CPython itself would end the process.
[[nodiscard]] PyThreadState* new_thread_state();

/// Frees the state of the calling thread, and releases the interpreter's lock, which it holds.
void delete_thread_state(PyThreadState* state);

/// Holds the interpreter's lock for its lifetime. Unlike pybind11's class it uses CPython's single
/// state per thread: that which `Attached` holds, or else one of its own.
class Gil {
public:
    Gil()
        : own_(PyGILState_GetThisThreadState() == nullptr ? new_thread_state() : nullptr),
          state_(PyGILState_Ensure()) {}
    ~Gil() {
        if (own_ != nullptr) {
            delete_thread_state(own_);
        } else {
            PyGILState_Release(state_);
        }
    }
    Gil(const Gil&) = delete;
    Gil& operator=(const Gil&) = delete;

private:
    PyThreadState* own_;
    PyGILState_STATE state_;
};

}  // namespace sftdyn::python
