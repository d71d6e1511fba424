// SPDX-License-Identifier: GPL-3.0-or-later
// Loads a configuration, TOML or Python; the command line overrides it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "python/conf.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::config {

/// A loaded configuration. `settings` are usable only when there are no diagnostics.
struct Loaded {
    Settings settings{};
    std::vector<base::Error> diagnostics{};
    std::string conf{};                                   ///< the file's path; empty: none
    std::string conf_version{};                           ///< `version_of` the file as it was read
    std::shared_ptr<const python::Conf> python{};         ///< null: no Python conf
    std::shared_ptr<python::HookThreads> hook_threads{};  ///< threads that run `python`
};
/// Loads the settings again; called at the start and at each reload.
using Load = std::function<Loaded()>;

/// The settings of the command line, which override the file.
struct Overrides {
    std::optional<std::string> conf{};  ///< absent: the first of `default_confs()` that exists
    std::vector<Listen> http{};
    std::vector<Listen> https{};
    std::optional<std::string> cert{};
    std::optional<std::string> key{};
    std::optional<std::string> key_file{};
    std::vector<dns::ServerAddress> servers{};  ///< DNS servers; empty: the file's
    /// systemd has passed sockets, which replace the listeners of the settings.
    bool passed_http = false, passed_https = false;
    int verbosity = 0;  ///< number of -v minus number of -q
    bool debug = false;
    std::optional<base::log::Format> log_format{};
};

/// The paths to try, in order, when no configuration is named.
[[nodiscard]] std::vector<std::string> default_confs();

/// Loads a file; `line` overrides it. Errors are in the diagnostics.
[[nodiscard]] Loaded load_settings(const Overrides& line);

}  // namespace sftdyn::config
