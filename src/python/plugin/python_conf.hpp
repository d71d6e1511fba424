// SPDX-License-Identifier: GPL-3.0-or-later
// A Python conf that was run: its settings, clients and hooks.
#pragma once

#include <memory>
#include <string>

#include "python/conf.hpp"
#include "python/plugin/python.hpp"

namespace sftdyn::python {

/// `module` is the conf, `lines` the line that sets each of its names. Called with the
/// interpreter's lock held; the result may be destroyed without it.
[[nodiscard]] std::shared_ptr<const Conf> make_conf(std::string path, py::module_ module,
                                                    py::dict lines);

}  // namespace sftdyn::python
