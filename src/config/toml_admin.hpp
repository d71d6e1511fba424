// SPDX-License-Identifier: GPL-3.0-or-later
// Reads [process] and [admin].
#pragma once

#include "config/settings.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

void read_process(TomlContext& context, const toml::table& table, Settings& settings);
void read_admin(TomlContext& context, const toml::table& table, Settings& settings);

}  // namespace sftdyn::config
