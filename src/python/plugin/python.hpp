// SPDX-License-Identifier: GPL-3.0-or-later
// Includes CPython and pybind11, and has what the plugin's parts share for using them.
#pragma once

#include <string>
#include <string_view>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <pybind11/pybind11.h>
#pragma GCC diagnostic pop

namespace sftdyn::python {

namespace py = pybind11;

/// Decodes octets as Python decodes file names: UTF-8, with other octets as surrogates (PEP 383).
inline py::str to_python(std::string_view octets) {
    PyObject* text = PyUnicode_DecodeUTF8(octets.data(), static_cast<Py_ssize_t>(octets.size()),
                                          "surrogateescape");
    if (text == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::str>(text);
}

/// The reverse of `to_python`.
inline std::string from_python(py::handle text) {
    Py_ssize_t size = 0;
    if (const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size))
        return {utf8, static_cast<std::size_t>(size)};
    PyErr_Clear();
    const auto octets = py::reinterpret_steal<py::bytes>(
        PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape"));
    if (!octets) {
        // Other surrogates, which text from outside never contains.
        PyErr_Clear();
        return std::string(py::bytes(py::reinterpret_steal<py::bytes>(
            PyUnicode_AsEncodedString(text.ptr(), "utf-8", "replace"))));
    }
    return std::string(octets);
}

}  // namespace sftdyn::python
