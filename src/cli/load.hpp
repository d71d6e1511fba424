// Loads a configuration of either kind, with the command line on top of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

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

/// The settings of a file with the command line's on top.
[[nodiscard]] Loaded load_settings(const config::CommandLine& line);

}  // namespace sftdyn::cli
