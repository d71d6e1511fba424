// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/headers.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "python/plugin/shared_objects.hpp"

namespace sftdyn::python {
namespace {

bool same(std::string_view name, std::string_view other) {
    return base::ascii_iequals(name, other);
}

}  // namespace

py::object Headers::get_or(const std::string& name, py::object otherwise) const {
    const auto found = std::find_if(fields_.list().begin(), fields_.list().end(),
                                    [&](const auto& field) { return same(field.first, name); });
    if (found == fields_.list().end()) return otherwise;
    return to_python(found->second);
}

py::object Headers::get(const std::string& name) const {
    if (!has(to_python(name))) throw py::key_error(name);
    return get_or(name, py::none());
}

bool Headers::has(const py::object& name) const {
    if (!py::isinstance<py::str>(name)) return false;
    const std::string wanted = from_python(name);
    return std::any_of(fields_.list().begin(), fields_.list().end(),
                       [&](const auto& field) { return same(field.first, wanted); });
}

py::list Headers::get_all(const std::string& name) const {
    py::list out;
    for (const auto& [own, value] : fields_.list()) {
        if (same(own, name)) out.append(to_python(value));
    }
    if (out.empty()) throw py::key_error(name);
    return out;
}

py::object Headers::get_all_or(const std::string& name, py::object otherwise) const {
    if (!has(to_python(name))) return otherwise;
    return get_all(name);
}

py::list Headers::names() const {
    py::list out;
    for (const auto& field : fields_.list()) out.append(to_python(field.first));
    return out;
}

py::list Headers::items() const {
    py::list out;
    for (const auto& [name, value] : fields_.list())
        out.append(py::make_tuple(to_python(name), to_python(value)));
    return out;
}

void define_headers(py::module_& module) {
    const py::class_<Headers> headers(
        module, "Headers", "A request's header fields; the case of names does not matter.");
    py::class_<Headers> define = headers;
    define.def("__getitem__", &Headers::get)
        .def("__contains__", &Headers::has)
        .def("__len__", &Headers::size)
        .def("__iter__", [](const Headers& self) { return py::iter(self.names()); })
        .def("__repr__",
             [](const py::object& self) { return shared->support.attr("repr_of_fields")(self); })
        .def("__eq__",
             [](const py::object& self, const py::object& other) {
                 return shared->support.attr("same_fields")(self, other);
             })
        .def("get", &Headers::get_or, py::arg("key"), py::arg("default") = py::none())
        .def("getone", &Headers::get)
        .def("getone", &Headers::get_or, py::arg("key"), py::arg("default"))
        .def("getall", &Headers::get_all)
        .def("getall", &Headers::get_all_or, py::arg("key"), py::arg("default"))
        .def("get_all", &Headers::get_all_or, py::arg("key"), py::arg("default") = py::none())
        .def("pairs", &Headers::items)
        .def("copy",
             [](const py::object& self) { return shared->support.attr("HeadersCopy")(self); })
        .def("keys",
             [](const py::object& self) { return shared->support.attr("FieldNames")(self); })
        .def("values",
             [](const py::object& self) { return shared->support.attr("FieldValues")(self); })
        .def("items",
             [](const py::object& self) { return shared->support.attr("FieldItems")(self); });
    py::module_::import("collections.abc").attr("Mapping").attr("register")(headers);
}

}  // namespace sftdyn::python
