// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/serve.hpp"

#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/log.hpp"
#include "commands/common_options.hpp"
#include "platform/socket_activation.hpp"
#include "server/serve.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

void add_file(CLI::App& app, const char* option, const OverridesPtr& overrides,
              std::optional<std::string> config::Overrides::*file, const char* help) {
    app.add_option_function<std::string>(
           option,
           [overrides, file](const std::string& value) {
               if (!value.empty()) (*overrides).*file = value;
           },
           help)
        ->type_name("FILE");
}

}  // namespace

void add_serve(CommandLine& line) {
    using config::Overrides;
    add_conf(line.app, line.overrides,
             fmt::format("The configuration file (default: {})",
                         fmt::join(config::default_confs(), ", else ")));
    add_listen(line.app, "-l,--http", "HTTP", line.overrides, &Overrides::http);
    add_listen(line.app, "-s,--https", "HTTPS", line.overrides, &Overrides::https);
    add_file(line.app, "-c,--cert", line.overrides, &Overrides::cert,
             "The certificate with its chain, PEM. Overrides the file");
    add_file(line.app, "-k,--key", line.overrides, &Overrides::key,
             "The certificate's private key, PEM. Overrides the file");
    add_key_file(line.app, line.overrides,
                 "The TSIG key for updates (default: BIND's session key). Overrides the file's, "
                 "but not a [[zone]]'s own");
    add_server(line.app, line.overrides);
    add_log_flags(line.app, line.overrides);
    line.app
        .add_option_function<std::string>(
            "--log-format",
            [overrides = line.overrides](const std::string& format) {
                overrides->log_format =
                    format == "json" ? base::log::Format::json : base::log::Format::text;
            },
            "The form of the log on standard error, from the first line on: text or json. Wins "
            "over "
            "the file")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
    // For compatibility with the Python sftdyn, which ignored it too.
    line.app
        .add_flag_function(
            "-i,--interactive", [](std::int64_t) {}, "Does nothing")
        ->group("");
}

int serve(const config::Overrides& asked, const Console& console) {
    config::Overrides overrides = asked;
    base::log::start(overrides.verbosity, overrides.debug);
    if (overrides.log_format) base::log::use_format(*overrides.log_format);
    const auto passed = server::endpoints_of(platform::passed_sockets());
    if (passed.has_error()) {
        base::log::critical("{}", passed.error().text());
        return 1;
    }
    for (const auto& socket : *passed)
        (socket.tls ? overrides.passed_https : overrides.passed_http) = true;
    return server::serve([&overrides] { return server::load(overrides); },
                         [&console](const std::vector<std::string>& addresses,
                                    const std::vector<std::string>& metrics) {
                             for (const auto& address : addresses)
                                 console.out << "listening on " << address << std::endl;
                             for (const auto& address : metrics)
                                 console.out << "metrics on " << address << std::endl;
                         },
                         *passed);
}

}  // namespace sftdyn::commands
