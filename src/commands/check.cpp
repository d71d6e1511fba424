// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/check.hpp"

#include <chrono>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/random.hpp"
#include "commands/common_options.hpp"
#include "commands/named_files.hpp"
#include "commands/weak_secrets.hpp"
#include "config/load.hpp"
#include "dns/idna.hpp"
#include "dns/tsig_key_file.hpp"
#include "http/tls.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

using Diagnostics = std::vector<base::Error>;

struct CheckOptions {
    bool json = false;  ///< print JSON
};

constexpr auto hook_time_of_check = std::chrono::seconds(5);

/// Checks a key file that the configuration names. BIND's session key is not checked: named makes
/// it at its start.
void check_key(const config::ZoneSettings& zone, Diagnostics& diagnostics) {
    if (!zone.key_file || zone.key_file->empty()) return;
    const auto key = dns::read_key_file(*zone.key_file);
    if (key.has_error()) diagnostics.push_back(key.error());
}

/// Prints the xn-- form of internationalized names, which the DNS and requests use.
void say_idna_forms(const config::Settings& settings, std::ostream& out) {
    std::size_t told = 0;
    const auto say = [&](const dns::Name& host) {
        if (host.bytes().find("xn--") == std::string::npos || ++told > most_told) return;
        const std::string text = host.text();
        out << fmt::format("note: {} is {} in the DNS\n",
                           base::log::terminal_safe(dns::idna_shown(text)), text);
    };
    for (std::size_t i = 0; i < settings.clients.size(); ++i)
        say(dns::Name::from_wire(
            reinterpret_cast<const std::uint8_t*>(settings.clients[i].host.data())));
    for (const auto& client : settings.named_clients) {
        for (const auto& host : client.hosts) say(host.name);
    }
    if (told > most_told)
        out << fmt::format("note: and {} more names like these\n", told - most_told);
}

/// Errors keep sftdyn from starting with the file; warnings do not.
void print_json(const Diagnostics& errors, const Diagnostics& warnings, const Console& console) {
    boost::json::array out;
    const auto add = [&out](const char* level, const Diagnostics& diagnostics) {
        for (const auto& one : diagnostics)
            out.push_back(boost::json::object{
                {"result", level}, {"where", one.where}, {"what", one.what}, {"mend", one.remedy}});
    };
    add("bad", errors);
    add("warning", warnings);
    console.out << boost::json::serialize(out) << '\n' << std::flush;
}

Diagnostics warnings_of(const config::Loaded& loaded) {
    Diagnostics warnings = loaded.settings.warnings;
    for (auto& missing : missing_folders(loaded.settings)) warnings.push_back(std::move(missing));
    for (auto& weaknesses : {weak_files(loaded), weak_keys(loaded)}) {
        for (const auto& one : weaknesses) warnings.push_back(one.error);
    }
    return warnings;
}

/// Calls get_ip and get_host on a hook thread, with an ordinary request and a random key, and
/// reports what they raise.
void try_hooks(const config::Loaded& loaded, Diagnostics& diagnostics, Diagnostics& warnings) {
    struct Tried {
        std::string get_ip, get_host;  ///< the exceptions' texts; empty: none
    };
    const auto tried = std::make_shared<Tried>();
    const std::string key = base::random_hex(16);
    const bool returned = loaded.hook_threads->call(
        [tried, key](const python::Conf& conf) {
            const auto call = conf.call("192.0.2.1", {{"Host", "dyn.example.org"}}, key);
            if (const auto said = call->get_ip(); said.has_error())
                tried->get_ip = said.error().text;
            if (!conf.has_get_host() || !tried->get_ip.empty()) return;
            if (const auto said = call->get_host(key); said.has_error())
                tried->get_host = said.error().text;
        },
        hook_time_of_check);
    if (!returned) {
        diagnostics.push_back({"get_ip and get_host do not return within 5 s", loaded.conf,
                               "give what they wait for a shorter time limit"});
        return;
    }
    if (!tried->get_ip.empty())
        diagnostics.push_back({"for an ordinary request " + tried->get_ip, loaded.conf,
                               "correct it: each such request would be FAIL"});
    if (!tried->get_host.empty())
        warnings.push_back({"for a key that was made up " + tried->get_host, loaded.conf, ""});
}

std::string count(const config::Loaded& loaded) {
    const std::size_t clients = loaded.settings.client_count();
    std::string text = fmt::format("{} client{}", clients, clients == 1 ? "" : "s");
    const std::size_t files = loaded.settings.included.size();
    if (loaded.settings.include)
        text += fmt::format(", with {} file{} of {}", files, files == 1 ? "" : "s",
                            *loaded.settings.include);
    return text;
}

int check(const config::Overrides& overrides, const CheckOptions& options, const Console& console) {
    config::Loaded loaded = server::load(overrides);
    check_key(loaded.settings.dns, loaded.diagnostics);
    for (const auto& files : config::certificates(loaded.settings)) {
        const auto certificate =
            http::read_certificate(files.cert, files.key, {}, loaded.settings.tls_min_version);
        if (certificate.has_error()) loaded.diagnostics.push_back(certificate.error());
    }
    for (const auto& zone : loaded.settings.zones) check_key(zone, loaded.diagnostics);
    for (const auto& fault : faults_of_named_files(loaded.settings))
        loaded.diagnostics.push_back(fault.error);
    Diagnostics of_hooks;
    if (loaded.diagnostics.empty() && loaded.python)
        try_hooks(loaded, loaded.diagnostics, of_hooks);
    Diagnostics warnings;
    if (loaded.diagnostics.empty()) {
        warnings = warnings_of(loaded);
        warnings.insert(warnings.end(), of_hooks.begin(), of_hooks.end());
    }
    if (options.json) {
        print_json(loaded.diagnostics, warnings, console);
        return loaded.diagnostics.empty() ? 0 : 1;
    }
    for (const auto& diagnostic : loaded.diagnostics) console.err << diagnostic.text() << '\n';
    if (!loaded.diagnostics.empty()) {
        console.err << fmt::format("{} error{}\n", loaded.diagnostics.size(),
                                   loaded.diagnostics.size() == 1 ? "" : "s");
        return 1;
    }
    for (const auto& warning : warnings) console.out << "warning: " << warning.text() << '\n';
    say_idna_forms(loaded.settings, console.out);
    console.out << fmt::format("{}: good, {}\n", loaded.conf,
                               loaded.python && loaded.python->has_get_host()
                                   ? "its get_host knows the clients"
                                   : count(loaded));
    return 0;
}

}  // namespace

void add_check(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "check", "Check a configuration file, and exit with 1 if it has errors");
    add_conf(app, line.overrides);
    add_key_file(app, line.overrides, "The TSIG key to check instead of the file's");
    const auto options = std::make_shared<CheckOptions>();
    app.add_flag("--json", options->json, "Print JSON, for scripts");
    app.callback([&line, options] {
        line.run = [overrides = line.overrides, options](const Console& console) {
            return check(*overrides, *options, console);
        };
    });
}

}  // namespace sftdyn::commands
