// The `serve` command: the rooms put together, signals, reload and a clean end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/command_line.hpp"
#include "config/settings.hpp"
#include "python/conf.hpp"

namespace sftdyn::cli {

/// Makes the settings anew: at the start, and at each reload. Empty complaints: they are good.
struct Loaded {
    config::Settings settings{};
    std::vector<base::Error> complaints{};
    std::string conf{};                            ///< the file, if there is one
    std::shared_ptr<const python::Conf> python{};  ///< a Python conf
};
using Load = std::function<Loaded()>;

/// Serves until SIGTERM or SIGINT; SIGHUP loads anew. `ready` is called with the addresses listened on.
/// Returns the exit status.
int serve(const Load& load, const std::function<void(const std::vector<std::string>& addresses)>& ready);

/// The settings of a file with the command line's on top.
[[nodiscard]] Loaded load_settings(const config::CommandLine& line);

/// `sftdyn [CONF]`.
int run_serve(const config::CommandLine& line);

}  // namespace sftdyn::cli
