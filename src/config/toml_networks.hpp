// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the lists of networks: trusted_proxies and [addresses].
#pragma once

#include "config/settings.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

void read_trusted_proxies(TomlContext& context, TomlSection& top, Settings& settings);
void read_addresses(TomlContext& context, const toml::table& table, base::AddressRules& rules);

}  // namespace sftdyn::config
