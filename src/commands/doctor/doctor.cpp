#include "commands/doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/system_user.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {
namespace {

constexpr std::size_t most_hosts = 20;  // that the DNS is asked for
constexpr const char* service_user = "sftdyn";

const char* word(Finding::Level level) {
    static constexpr const char* words[] = {"good", "note", "skipped", "warning", "BAD"};
    return words[static_cast<std::size_t>(level)];
}

/// Whom the service runs as: whom it is told to become, else the package's user, else whoever asks.
std::string user_of(const config::Settings& settings) {
    if (settings.user) return *settings.user;
    if (geteuid() == 0 && base::find_user(service_user)) return service_user;
    const auto self = base::find_user(geteuid());
    return self ? self->name : "nobody";
}

std::vector<dns::Name> hosts_of(const config::Settings& settings, const std::string& named) {
    std::vector<dns::Name> out;
    if (!named.empty()) {
        if (auto host = dns::Name::parse(named); host.has_value()) out.push_back(std::move(*host));
        return out;
    }
    for (std::size_t i = 0; i < std::min(settings.clients.size(), most_hosts); ++i)
        out.push_back(dns::Name::from_wire(
            reinterpret_cast<const std::uint8_t*>(settings.clients[i].host.data())));
    for (const auto& client : settings.named_clients) {
        for (const auto& host : client.hosts) {
            if (out.size() < most_hosts) out.push_back(host.name);
        }
    }
    return out;
}

void print(const Findings& findings) {
    for (const auto& one : findings) {
        std::cout << fmt::format("{:<8} {:<12} {}\n", word(one.level), one.check, one.what);
        if (!one.mend.empty()) std::cout << fmt::format("{:<8} {:<12} -> {}\n", "", "", one.mend);
    }
}

void print_json(const Findings& findings) {
    boost::json::array out;
    for (const auto& one : findings) {
        boost::json::object finding{
            {"check", one.check},
            {"result", one.level == Finding::Level::bad ? "bad" : word(one.level)},
            {"what", one.what}};
        if (!one.mend.empty()) finding["mend"] = one.mend;
        out.push_back(std::move(finding));
    }
    std::cout << boost::json::serialize(out) << '\n';
}

Findings examine(const CommandLine& line) {
    Findings findings;
    Patient patient{server::load(line), {}, {}, {}, line.resolver};
    if (!line.named_conf.empty()) patient.named.conf = line.named_conf;
    const auto& loaded = patient.loaded;
    for (const auto& complaint : loaded.complaints)
        findings.push_back(
            {Finding::Level::bad, "conf",
             complaint.where.empty() ? complaint.what : complaint.where + ": " + complaint.what,
             complaint.mend});
    if (!findings.empty())
        return findings;  // the rest would be about other settings than are meant
    const std::size_t clients = loaded.settings.client_count();
    const bool has_get_host = loaded.python && loaded.python->has_get_host();
    findings.push_back(
        {Finding::Level::good, "conf", fmt::format("{} can be used", loaded.conf), ""});
    if (clients == 0 && !has_get_host)
        findings.push_back({Finding::Level::warning, "clients",
                            "there are no clients: every key is a bad key",
                            "add lines to [clients]: \"key\" = \"host\""});
    patient.user = user_of(loaded.settings);
    patient.hosts = hosts_of(loaded.settings, line.host);
    look_at_files(patient, findings);
    look_at_certificates(patient, findings);
    look_at_listeners(patient, findings);
    look_at_limits(patient, findings);
    look_at_running(patient, findings);
    look_at_dns(patient, findings);
    return findings;
}

}  // namespace

int run_doctor(const CommandLine& line) {
    base::log::start(-2, false);  // what is found is said here, not in a log
    const Findings findings = examine(line);
    line.json ? print_json(findings) : print(findings);
    const auto bad = std::count_if(findings.begin(), findings.end(), [](const Finding& one) {
        return one.level == Finding::Level::bad;
    });
    if (!line.json)
        std::cout << (bad == 0 ? std::string("nothing is in the way\n")
                               : fmt::format("{} thing{} to mend\n", bad, bad == 1 ? "" : "s"));
    std::cout << std::flush;
    return bad == 0 ? 0 : 1;
}

}  // namespace sftdyn::commands
