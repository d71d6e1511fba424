// SPDX-License-Identifier: GPL-3.0-or-later
// The command line. The program's own options are those of serving; each command brings its own, in
// its own file.
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

/// Where a command reads and writes.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool is_typed = false;  ///< somebody types at a terminal what `in` reads
    bool is_seen = false;   ///< `out` is a terminal
};
/// Returns the exit status.
using RunCommand = std::function<int(const Console&)>;

/// A command line while it is put together and read. `add_…` of each command adds what it is called
/// and what it takes; when it is the one that was asked for, it sets `run`.
struct CommandLine {
    CLI::App& app;
    /// What stands above the configuration: shared by the program and all commands, so that what
    /// stands in front of a command counts.
    std::shared_ptr<config::Overrides> overrides{};
    RunCommand run{};
};

/// Either what is asked for, or the text to print and the status to exit with (help, version, a
/// usage error).
struct Parsed {
    RunCommand run{};       ///< null: there is nothing to do
    std::string command{};  ///< empty: to serve
    std::shared_ptr<const config::Overrides> overrides{};
    std::string text{};
    int status = 0;
};

[[nodiscard]] Parsed parse_command_line(int argc, const char* const* argv,
                                        const std::string& version);

}  // namespace sftdyn::commands
