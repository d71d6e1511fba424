// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/shared_objects.hpp"

#include <utility>

namespace sftdyn::python {

SharedObjects* shared = nullptr;

void drop_later(py::object object) {
    const base::MutexLock lock(shared->mutex);
    shared->dropped.push_back(std::move(object));
}

void drop_now() {
    std::vector<py::object> dropped;
    {
        const base::MutexLock lock(shared->mutex);
        dropped.swap(shared->dropped);
    }
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
