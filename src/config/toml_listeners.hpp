// SPDX-License-Identifier: GPL-3.0-or-later
// Reads where to listen: addresses, and tables of listeners with settings of their own.
#pragma once

#include <string_view>
#include <vector>

#include "config/listen_address.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

/// The setting `name` of `section`: one listener, or a list of them.
void read_listeners(TomlContext& context, TomlSection& section, std::string_view name,
                    std::vector<Listen>& target);

}  // namespace sftdyn::config
