// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "commands/command_line.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a write to a closed connection fails with EPIPE instead
    try {
        const auto parsed = sftdyn::commands::parse_command_line(argc, argv, SFTDYN_VERSION);
        if (parsed.run) {
            return parsed.run({.in = std::cin,
                               .out = std::cout,
                               .err = std::cerr,
                               .is_typed = isatty(STDIN_FILENO) != 0,
                               .is_seen = isatty(STDOUT_FILENO) != 0});
        }
        (parsed.status == 0 ? std::cout : std::cerr) << parsed.text;
        return parsed.status;
    } catch (const std::exception& error) {
        std::cerr << "sftdyn: unexpected: " << error.what() << '\n';
        return 1;
    }
}
