#include <csignal>
#include <exception>
#include <iostream>

#include "commands/cert.hpp"
#include "commands/check.hpp"
#include "commands/client.hpp"
#include "commands/command_line.hpp"
#include "commands/convert.hpp"
#include "commands/demo.hpp"
#include "commands/doctor/doctor.hpp"
#include "commands/password.hpp"
#include "commands/serve.hpp"
#include "commands/setup.hpp"
#include "commands/status.hpp"

namespace {

int run(const sftdyn::commands::CommandLine& line) {
    using sftdyn::commands::Command;
    switch (line.command) {
        case Command::serve:
            return sftdyn::commands::run_serve(line);
        case Command::check:
            return sftdyn::commands::run_check(line);
        case Command::convert:
            return sftdyn::commands::run_convert(line);
        case Command::doctor:
            return sftdyn::commands::run_doctor(line);
        case Command::setup:
            return sftdyn::commands::run_setup(line);
        case Command::status:
            return sftdyn::commands::run_status(line);
        case Command::cert:
            return sftdyn::commands::run_cert(line);
        case Command::demo:
            return sftdyn::commands::run_demo(line);
        case Command::password:
            return sftdyn::commands::run_password();
        case Command::client:
            return sftdyn::commands::run_client(line);
    }
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is seen where it is written to
    try {
        const auto parsed = sftdyn::commands::parse_command_line(argc, argv, SFTDYN_VERSION);
        if (parsed.line) return run(*parsed.line);
        (parsed.status == 0 ? std::cout : std::cerr) << parsed.text;
        return parsed.status;
    } catch (const std::exception& error) {
        std::cerr << "sftdyn: unexpected: " << error.what() << '\n';
        return 1;
    }
}
