// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/forget.hpp"

#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/result.hpp"
#include "commands/running.hpp"
#include "dns/name.hpp"

namespace sftdyn::commands {
namespace {

struct ForgetOptions {
    std::string host{}, socket{};
};

/// Whether the program knew the host. An error when this version does not understand the answer.
base::Result<bool> was_forgotten(const std::string& answer, const std::string& path) {
    boost::system::error_code error;
    const auto value = boost::json::parse(answer, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* forgotten = object != nullptr ? object->if_contains("forgotten") : nullptr;
    if (forgotten != nullptr && forgotten->is_bool()) return forgotten->as_bool();
    return base::Error{"this version does not know its answer", path,
                       "is it an sftdyn of this version?"};
}

int forget(const config::Overrides& overrides, const ForgetOptions& options,
           const Console& console) {
    const auto failed = [&console](const base::Error& error) {
        console.err << error.text() << '\n';
        return 1;
    };
    const auto host = dns::Name::parse_host(options.host);
    if (host.has_error()) return failed(host.error());
    const std::string path = control_path(overrides, options.socket, console);
    const auto answer = ask_control(path, "forget " + host->text());
    if (answer.has_error()) return failed(answer.error());
    const auto forgotten = was_forgotten(*answer, path);
    if (forgotten.has_error()) return failed(forgotten.error());
    if (!*forgotten)
        return failed({"this host is not known: it never checked in", host->text(),
                       "`sftdyn status` lists those that did"});
    console.out << host->text() << ": forgotten\n";
    return 0;
}

}  // namespace

void add_forget(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "forget", "Let the running sftdyn forget when a host checked in, as if it never had");
    const auto options = std::make_shared<ForgetOptions>();
    app.add_option("HOST", options->host, "The host's name")->required()->type_name("TEXT");
    add_control(app, line.overrides, options->socket);
    app.callback([&line, options] {
        line.run = [overrides = line.overrides, options](const Console& console) {
            return forget(*overrides, *options, console);
        };
    });
}

}  // namespace sftdyn::commands
