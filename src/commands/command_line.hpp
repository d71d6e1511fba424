// The command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/load.hpp"

namespace sftdyn::commands {

enum class Command { serve, check, convert, doctor, setup, status, demo, cert, password, client };

/// What was asked for: a command, its options, and what stands above the file.
struct CommandLine : config::Overrides {
    Command command = Command::serve;
    std::string converted{};  ///< `convert`: the file to write; empty: standard output
    std::uint16_t demo_dns_port = 5300;
    std::vector<std::string> cert_hosts{};  ///< `cert`: what the certificate is for
    int cert_days = 1337;                   ///< `cert`: how long it is valid
    std::string cert_folder = ".";          ///< `cert`: where the files go
    std::string client_name{};              ///< `client`: whose sheet
    std::string client_url{};  ///< `client`: where clients reach the server; empty: as the
                               ///< configuration tells
    std::string control{};     ///< `status`: the socket; empty: as the configuration tells
    std::string host{};  ///< `doctor`: that the DNS is asked for; empty: those of the configuration
    std::string resolver{};      ///< `doctor`: to ask as the world does; empty: the system's
    std::string named_conf{};    ///< `doctor`: named's configuration; empty: Debian's
    std::string setup_server{};  ///< `setup`: "bind", "knot" or "powerdns"
    std::string setup_zone{};    ///< `setup`
    std::string setup_folder{};  ///< `setup`: where to write; empty: print
    bool json = false;           ///< for programs, not for people
    bool watch = false;          ///< `status`: again and again
    bool show_secrets = false;   ///< `client`: also when it is no terminal
};

/// Either what is asked for, or the text to print and the status to exit with (help, version, a
/// usage error).
struct Parsed {
    std::optional<CommandLine> line{};
    std::string text{};
    int status = 0;
};

[[nodiscard]] Parsed parse_command_line(int argc, const char* const* argv,
                                        const std::string& version);

}  // namespace sftdyn::commands
