// SPDX-License-Identifier: GPL-3.0-or-later
// Reads listeners: addresses, and tables with an address and settings of the listener.
#pragma once

#include <string_view>
#include <vector>

#include "config/listen_address.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

/// Reads the setting `name` of `section`, one listener or a list of them. When it is there, it
/// replaces the content of `target`.
void read_listeners(TomlContext& context, TomlSection& section, std::string_view name,
                    std::vector<Listen>& target);

}  // namespace sftdyn::config
