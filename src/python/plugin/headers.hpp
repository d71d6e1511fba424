// SPDX-License-Identifier: GPL-3.0-or-later
// The header fields of a request as hooks see them: a mapping with case-insensitive names.
#pragma once

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// The fields of one request, owned by its Python object, which a hook may keep. Used with the
/// interpreter's lock held.
class Headers {
public:
    explicit Headers(const Fields& fields) : fields_(fields) {}

    /// The first field of that name; raises KeyError when there is none.
    [[nodiscard]] py::object get(const std::string& name) const;
    [[nodiscard]] py::object get_or(const std::string& name, py::object otherwise) const;
    [[nodiscard]] bool has(const py::object& name) const;
    [[nodiscard]] py::list get_all(const std::string& name) const;
    [[nodiscard]] py::object get_all_or(const std::string& name, py::object otherwise) const;
    [[nodiscard]] py::list names() const;
    [[nodiscard]] py::list items() const;
    [[nodiscard]] std::size_t size() const { return fields_.list().size(); }

private:
    Fields fields_;
};

/// Defines the Python class in `module`.
void define_headers(py::module_& module);

}  // namespace sftdyn::python
