// SPDX-License-Identifier: GPL-3.0-or-later
#include <csignal>
#include <exception>
#include <iostream>

#include "commands/command_line.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is seen where it is written to
    try {
        const auto parsed = sftdyn::commands::parse_command_line(argc, argv, SFTDYN_VERSION);
        if (parsed.run) return parsed.run();
        (parsed.status == 0 ? std::cout : std::cerr) << parsed.text;
        return parsed.status;
    } catch (const std::exception& error) {
        std::cerr << "sftdyn: unexpected: " << error.what() << '\n';
        return 1;
    }
}
