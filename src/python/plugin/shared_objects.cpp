// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/shared_objects.hpp"

#include <pthread.h>

#include <utility>

namespace sftdyn::python {

SharedObjects* shared = nullptr;

std::atomic<bool> is_copy_of_process = false;

void end_copy_of_process(const py::error_already_set& error) {
    if (!is_copy_of_process) return;
    int status = 1;
    try {
        if (error.matches(PyExc_SystemExit)) {
            const py::object code = error.value().attr("code");
            status = code.is_none() ? 0 : py::isinstance<py::int_>(code) ? code.cast<int>() : 1;
        }
    } catch (const std::exception&) {
        status = 1;
    }
    _exit(status);
}

bool watch_forks() {
    return pthread_atfork(nullptr, nullptr, [] { is_copy_of_process = true; }) == 0;
}

void drop_later(std::unique_ptr<DroppedObjects> objects) {
    const base::MutexLock lock(shared->mutex);
    objects->next = std::move(shared->dropped);
    shared->dropped = std::move(objects);
}

void drop_now() {
    std::unique_ptr<DroppedObjects> dropped;
    {
        const base::MutexLock lock(shared->mutex);
        dropped.swap(shared->dropped);
    }
    while (dropped) dropped = std::exchange(dropped->next, nullptr);
}

base::Error diagnostic(const char* teller, const std::string& path, py::error_already_set& error) {
    py::object value = error.value();
    if (!PyExceptionInstance_Check(value.ptr())) value = error.type()(value);
    if (error.trace()) PyException_SetTraceback(value.ptr(), error.trace().ptr());
    const py::tuple told = shared->support.attr(teller)(value, to_python(path));
    const auto line = told[1].cast<unsigned>();
    return {from_python(told[0]), line == 0 ? path : path + ":" + std::to_string(line),
            "correct it: the file is run as Python 3"};
}

base::Error diagnostic_of_unknown(const std::string& path) {
    return {"it raises an exception that can't be shown", path,
            "correct it: the file is run as Python 3"};
}

}  // namespace sftdyn::python
