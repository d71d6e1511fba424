// SPDX-License-Identifier: GPL-3.0-or-later
// Loads a configuration of either kind, with the command line on top of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "python/conf.hpp"
#include "python/hook_threads.hpp"

namespace sftdyn::config {

/// Makes the settings anew: at the start, and at each reload. No diagnostics: they are good.
struct Loaded {
    Settings settings{};
    std::vector<base::Error> diagnostics{};
    std::string conf{};                                   ///< the file, if there is one
    std::string conf_version{};                           ///< of that file, as it was read
    std::shared_ptr<const python::Conf> python{};         ///< a Python conf
    std::shared_ptr<python::HookThreads> hook_threads{};  ///< that it was run on
};
using Load = std::function<Loaded()>;

/// What the command line says, which wins over the file.
struct Overrides {
    std::optional<std::string> conf{};  ///< absent: the first of `default_confs()` that exists
    std::vector<Listen> http{};
    std::vector<Listen> https{};
    std::optional<std::string> cert{};
    std::optional<std::string> key{};
    std::optional<std::string> key_file{};
    std::vector<dns::ServerAddress> servers{};  ///< of the DNS; empty: the file's
    /// systemd has passed sockets, which stand in place of the settings.
    bool passed_http = false, passed_https = false;
    int verbosity = 0;  ///< the -v less the -q
    bool debug = false;
};

/// Where the configuration is looked for when no file is named.
[[nodiscard]] std::vector<std::string> default_confs();

/// The settings of a file with `line` on top.
[[nodiscard]] Loaded load_settings(const Overrides& line);

}  // namespace sftdyn::config
