#include <csignal>
#include <exception>
#include <iostream>

#include "cli/cert.hpp"
#include "cli/check.hpp"
#include "cli/client.hpp"
#include "cli/convert.hpp"
#include "cli/demo.hpp"
#include "cli/doctor.hpp"
#include "cli/password.hpp"
#include "cli/serve.hpp"
#include "cli/setup.hpp"
#include "cli/status.hpp"
#include "config/command_line.hpp"

namespace {

int run(const sftdyn::config::CommandLine& line) {
    using sftdyn::config::Command;
    switch (line.command) {
        case Command::serve:
            return sftdyn::cli::run_serve(line);
        case Command::check:
            return sftdyn::cli::run_check(line);
        case Command::convert:
            return sftdyn::cli::run_convert(line);
        case Command::doctor:
            return sftdyn::cli::run_doctor(line);
        case Command::setup:
            return sftdyn::cli::run_setup(line);
        case Command::status:
            return sftdyn::cli::run_status(line);
        case Command::cert:
            return sftdyn::cli::run_cert(line);
        case Command::demo:
            return sftdyn::cli::run_demo(line);
        case Command::password:
            return sftdyn::cli::run_password();
        case Command::client:
            return sftdyn::cli::run_client(line);
    }
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is seen where it is written to
    try {
        const auto parsed = sftdyn::config::parse_command_line(argc, argv, SFTDYN_VERSION);
        if (parsed.line) return run(*parsed.line);
        (parsed.status == 0 ? std::cout : std::cerr) << parsed.text;
        return parsed.status;
    } catch (const std::exception& error) {
        std::cerr << "sftdyn: unexpected: " << error.what() << '\n';
        return 1;
    }
}
