// SPDX-License-Identifier: GPL-3.0-or-later
// Options that several commands share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace CLI {
class App;
class ValidationError;
}  // namespace CLI

namespace sftdyn::commands {

using OverridesPtr = std::shared_ptr<config::Overrides>;

/// The error for an invalid value of an option. It quotes the value, because the user has typed it;
/// text of files is not quoted.
[[nodiscard]] CLI::ValidationError invalid(const std::string& option, const std::string& value,
                                           base::Error error);

/// CONF: the configuration file.
void add_conf(CLI::App& app, const OverridesPtr& overrides,
              const std::string& help = "The configuration file");
/// --nskeyfile
void add_key_file(CLI::App& app, const OverridesPtr& overrides, const std::string& help);
/// --server
void add_server(CLI::App& app, const OverridesPtr& overrides);
/// An option with addresses to listen on for `what`. Its values replace those of `listens`.
void add_listen(CLI::App& app, const char* option, const char* what, const OverridesPtr& overrides,
                std::vector<config::Listen> config::Overrides::*listens);
/// -v, -q, -d
void add_log_flags(CLI::App& app, const OverridesPtr& overrides);

}  // namespace sftdyn::commands
