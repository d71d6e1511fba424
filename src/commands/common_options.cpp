// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/common_options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace sftdyn::commands {

CLI::ValidationError invalid(const std::string& option, const std::string& value,
                             base::Error error) {
    error.where = fmt::format("\"{}\"", value.substr(0, 80));
    return CLI::ValidationError(option, error.text());
}

void add_conf(CLI::App& app, const OverridesPtr& overrides, const std::string& help) {
    app.add_option_function<std::string>(
        "CONF",
        [overrides](const std::string& conf) {
            if (!conf.empty()) overrides->conf = conf;
        },
        help);
}

void add_key_file(CLI::App& app, const OverridesPtr& overrides, const std::string& help) {
    app.add_option_function<std::string>(
           "--nskeyfile",
           [overrides](const std::string& file) {
               if (!file.empty()) overrides->key_file = file;
           },
           help)
        ->type_name("FILE");
}

void add_server(CLI::App& app, const OverridesPtr& overrides) {
    app.add_option_function<std::vector<std::string>>(
           "--server",
           [overrides](const std::vector<std::string>& values) {
               for (const auto& value : values) {
                   const auto server = config::parse_server(value);
                   if (server.has_error()) throw invalid("--server", value, server.error());
                   overrides->servers.push_back(*server);
               }
           },
           "The DNS server to send updates to (default: 127.0.0.1, then ::1); several times for "
           "several. Overrides the file's [dns], but not a [[zone]]'s own")
        ->type_name("ADDR[:PORT]")
        ->allow_extra_args(false)
        ->take_all();
}

void add_listen(CLI::App& app, const char* option, const char* what, const OverridesPtr& overrides,
                std::vector<config::Listen> config::Overrides::*listens) {
    app.add_option_function<std::vector<std::string>>(
           option,
           [overrides, listens](const std::vector<std::string>& values) {
               auto& target = (*overrides).*listens;
               target.clear();
               for (const auto& value : values) {
                   const auto listen = config::parse_listen(value);
                   if (listen.has_error()) throw invalid("an option", value, listen.error());
                   target.push_back(*listen);
               }
           },
           fmt::format("Listen for {} there: PORT, IP4:PORT, [IP6]:PORT or unix:PATH; "
                       "several times for several. Overrides the file",
                       what))
        ->type_name("[ADDR:]PORT")
        ->allow_extra_args(false)
        ->take_all();
}

void add_log_flags(CLI::App& app, const OverridesPtr& overrides) {
    app.add_flag_function(
        "-v,--verbose",
        [overrides](std::int64_t count) { overrides->verbosity += static_cast<int>(count); },
        "Say more: -v each request, -vv every detail (the default says warnings and errors)");
    app.add_flag_function(
        "-q,--quiet",
        [overrides](std::int64_t count) { overrides->verbosity -= static_cast<int>(count); },
        "Say less: -q errors only");
    app.add_flag_function(
        "-d,--debug", [overrides](std::int64_t count) { overrides->debug = count > 0; },
        "For developers: every detail, with thread and microseconds");
}

}  // namespace sftdyn::commands
