// SPDX-License-Identifier: GPL-3.0-or-later
// A command line, run in this process.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "commands/command_line.hpp"

namespace sftdyn::commands {

/// How a command ended, and what it said.
struct Ran {
    int status = -1;
    std::string out{};
    std::string err{};
};

/// What a test gives a command besides its words.
struct Surroundings {
    std::string input{};
    bool is_typed = false;
    bool is_seen = false;
};

inline Ran run_command(const std::vector<std::string>& words,
                       const Surroundings& surroundings = {}) {
    std::vector<const char*> arguments{"sftdyn"};
    for (const auto& word : words) arguments.push_back(word.c_str());
    const Parsed parsed =
        parse_command_line(static_cast<int>(arguments.size()), arguments.data(), "1.2.3");
    if (!parsed.run) return {parsed.status, {}, parsed.text};
    std::istringstream in(surroundings.input);
    std::ostringstream out, err;
    Ran ran;
    ran.status = parsed.run({.in = in,
                             .out = out,
                             .err = err,
                             .is_typed = surroundings.is_typed,
                             .is_seen = surroundings.is_seen});
    ran.out = out.str();
    ran.err = err.str();
    return ran;
}

}  // namespace sftdyn::commands
