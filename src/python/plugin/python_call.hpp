// SPDX-License-Identifier: GPL-3.0-or-later
// One request's calls of a conf's hooks.
#pragma once

#include <memory>
#include <string_view>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// The hooks of a conf; what it lacks is null.
struct Hooks {
    py::object get_ip{}, get_host{}, commands{};
};

/// For one request, on one thread; it holds the interpreter's lock for as long as it lives. `key`
/// outlives it.
[[nodiscard]] std::unique_ptr<Call> make_call(const Hooks& hooks, std::string_view source,
                                              const Fields& fields, std::string_view key);

}  // namespace sftdyn::python
