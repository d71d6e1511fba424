// SPDX-License-Identifier: GPL-3.0-or-later
// The command line. The options of the program itself are those of `serve`; each command defines
// its options in its own file.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "config/load.hpp"

namespace CLI {
class App;
}

namespace sftdyn::commands {

/// The streams of a command.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool is_typed = false;  ///< `in` is a terminal
    bool is_seen = false;   ///< `out` is a terminal
};
/// Returns the exit status.
using RunCommand = std::function<int(const Console&)>;

/// A command line that is being defined and parsed. `add_…` of each command adds its name and its
/// options. When the parsed line names the command, its callback sets `run`.
struct CommandLine {
    CLI::App& app;
    /// The options that override the configuration. The program and all commands share them, so
    /// that options in front of a command apply to it.
    std::shared_ptr<config::Overrides> overrides{};
    RunCommand run{};
};

/// A parsed command line: what to run, or the text to print and the exit status (help, version, a
/// usage error).
struct Parsed {
    RunCommand run{};       ///< null: print `text` and exit with `status`
    std::string command{};  ///< empty: serve
    std::shared_ptr<const config::Overrides> overrides{};
    std::string text{};
    int status = 0;
};

[[nodiscard]] Parsed parse_command_line(int argc, const char* const* argv,
                                        const std::string& version);

}  // namespace sftdyn::commands
