// SPDX-License-Identifier: GPL-3.0-or-later
// The hook calls of one request.
#pragma once

#include <memory>
#include <string_view>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// The hooks of a conf; null: not defined.
struct Hooks {
    py::object get_ip{}, get_host{}, commands{};
};

/// The calls for one request, on one thread. The result holds the interpreter's lock for its
/// lifetime; `key` must outlive it.
[[nodiscard]] std::unique_ptr<Call> make_call(const Hooks& hooks, std::string_view source,
                                              const Fields& fields, std::string_view key);

}  // namespace sftdyn::python
