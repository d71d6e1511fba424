// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/system_user.hpp"
#include "commands/common_options.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

constexpr const char* service_user = "sftdyn";

struct DoctorOptions {
    std::string host{};  ///< the host to check; empty: those of the configuration
    std::optional<dns::ServerAddress> resolver{};  ///< absent: the system's
    std::string named_conf{};                      ///< named's configuration; empty: Debian's
    bool json = false;                             ///< print JSON
};

using Level = Finding::Level;

const char* word(Finding::Level level) {
    static constexpr const char* words[] = {"good", "note", "skipped", "warning", "BAD"};
    return words[static_cast<std::size_t>(level)];
}

/// Finds the user whose rights are checked: `[process] user`, else the package's user, else the
/// caller. Only root can check the rights of another user.
void find_user(Patient& patient) {
    const std::string service = patient.loaded.settings.user.value_or(service_user);
    const auto account = base::find_user(service);
    const auto self = base::find_user(geteuid());
    if (geteuid() == 0 && (account || patient.loaded.settings.user)) {
        patient.user = service;
        return;
    }
    patient.user = self ? self->name : "nobody";
    patient.is_stand_in = geteuid() != 0 && account && account->uid != geteuid();
}

std::vector<dns::Name> hosts_of(const config::Settings& settings, const std::string& named) {
    std::vector<dns::Name> out;
    if (!named.empty()) {
        if (auto host = dns::Name::parse(named); host.has_value()) out.push_back(std::move(*host));
        return out;
    }
    for (std::size_t i = 0; i < settings.clients.size(); ++i)
        out.push_back(dns::Name::from_wire(
            reinterpret_cast<const std::uint8_t*>(settings.clients[i].host.data())));
    for (const auto& client : settings.named_clients) {
        for (const auto& host : client.hosts) out.push_back(host.name);
    }
    return out;
}

void print(const Findings& findings, const Console& console) {
    for (const auto& one : findings) {
        console.out << fmt::format("{:<8} {:<12} {}\n", word(one.level), one.check, one.what);
        if (!one.remedy.empty())
            console.out << fmt::format("{:<8} {:<12} -> {}\n", "", "", one.remedy);
    }
}

void print_json(const Findings& findings, const Console& console) {
    boost::json::array out;
    for (const auto& one : findings) {
        boost::json::object finding{
            {"check", one.check},
            {"result", one.level == Finding::Level::bad ? "bad" : word(one.level)},
            {"what", one.what}};
        if (!one.remedy.empty()) finding["mend"] = one.remedy;
        out.push_back(std::move(finding));
    }
    console.out << boost::json::serialize(out) << '\n';
}

std::size_t count_of(const Findings& findings, Level level) {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [level](const Finding& one) { return one.level == level; }));
}

/// The last line: the number of errors, warnings and skipped checks, or that there are none.
std::string summary_of(const Findings& findings) {
    const auto counted = [](std::size_t number, const char* word) {
        return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
    };
    const std::size_t bad = count_of(findings, Level::bad);
    const std::size_t warnings = count_of(findings, Level::warning);
    const std::size_t skipped = count_of(findings, Level::skipped);
    std::vector<std::string> parts;
    if (bad != 0) parts.push_back(counted(bad, "error"));
    if (warnings != 0) parts.push_back(counted(warnings, "warning"));
    if (parts.empty() && skipped == 0) return "no problem was found";
    if (parts.empty()) parts.emplace_back("no problem was found in what was checked");
    if (skipped != 0) parts.push_back(counted(skipped, "check") + " could not be made");
    return fmt::format("{}", fmt::join(parts, ", "));
}

/// Removes findings that an earlier check has reported too.
void remove_repeated(Findings& findings) {
    Findings once;
    for (auto& one : findings) {
        const bool is_told = std::any_of(once.begin(), once.end(), [&one](const Finding& told) {
            return told.level == one.level && told.what == one.what;
        });
        if (!is_told) once.push_back(std::move(one));
    }
    findings = std::move(once);
}

Findings examine(const config::Overrides& overrides, const DoctorOptions& options) {
    Findings findings;
    Patient patient{.loaded = server::load(overrides), .resolver = options.resolver};
    if (!options.named_conf.empty()) patient.named.conf = options.named_conf;
    const auto& loaded = patient.loaded;
    for (const auto& diagnostic : loaded.diagnostics)
        findings.push_back(
            {Finding::Level::bad, "conf",
             diagnostic.where.empty() ? diagnostic.what : diagnostic.where + ": " + diagnostic.what,
             diagnostic.remedy});
    if (!findings.empty()) return findings;  // further checks would use wrong settings
    const std::size_t clients = loaded.settings.client_count();
    const bool has_get_host = loaded.python && loaded.python->has_get_host();
    findings.push_back(
        {Finding::Level::good, "conf", fmt::format("{} can be used", loaded.conf), ""});
    if (clients == 0 && !has_get_host)
        findings.push_back({Finding::Level::warning, "clients",
                            "there are no clients: every key is a bad key",
                            "add lines to [clients]: \"key\" = \"host\""});
    find_user(patient);
    if (patient.is_stand_in)
        findings.push_back({Level::skipped, "root",
                            "files that only root and the service may read can't be checked",
                            "run it as root: sudo sftdyn doctor"});
    patient.hosts = hosts_of(loaded.settings, options.host);
    look_at_files(patient, findings);
    look_at_certificates(patient, findings);
    look_at_listeners(patient, findings);
    look_at_admin(patient, findings);
    look_at_limits(patient, findings);
    look_at_running(patient, findings);
    look_at_dns(patient, findings);
    remove_repeated(findings);
    return findings;
}

int doctor(const config::Overrides& overrides, const DoctorOptions& options,
           const Console& console) {
    base::log::start(-2, false);  // findings are printed, not logged
    const Findings findings = examine(overrides, options);
    options.json ? print_json(findings, console) : print(findings, console);
    if (!options.json) console.out << summary_of(findings) << '\n';
    console.out << std::flush;
    return count_of(findings, Level::bad) == 0 ? 0 : 1;
}

}  // namespace

void add_doctor(CommandLine& line) {
    CLI::App& app = *line.app.add_subcommand(
        "doctor", "Check everything from the configuration to the DNS, and say what is wrong");
    const auto options = std::make_shared<DoctorOptions>();
    add_conf(app, line.overrides);
    add_key_file(app, line.overrides, "The TSIG key to try instead of the file's");
    app.add_option("--host", options->host,
                   "The host to ask for (default: those of the configuration)")
        ->type_name("NAME");
    app.add_option_function<std::string>(
           "--resolver",
           [options](const std::string& value) {
               const auto resolver = config::parse_server(value);
               if (resolver.has_error()) throw invalid("--resolver", value, resolver.error());
               options->resolver = *resolver;
           },
           "The resolver to ask as the world does (default: the system's)")
        ->type_name("ADDR[:PORT]");
    app.add_option("--named-conf", options->named_conf,
                   "The configuration of this machine's named (default: /etc/bind/named.conf)")
        ->type_name("FILE");
    app.add_flag("--json", options->json, "Print JSON, for scripts");
    add_server(app, line.overrides);
    app.callback([&line, options] {
        line.run = [overrides = line.overrides, options](const Console& console) {
            return doctor(*overrides, *options, console);
        };
    });
}

}  // namespace sftdyn::commands
