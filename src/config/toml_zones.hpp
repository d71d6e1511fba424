// SPDX-License-Identifier: GPL-3.0-or-later
// Reads [dns] and [[zone]].
#pragma once

#include "config/settings.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

void read_dns(TomlContext& context, const toml::table& table, Settings& settings);
/// One [[zone]].
void read_zone(TomlContext& context, const toml::table& table, Settings& settings);

}  // namespace sftdyn::config
