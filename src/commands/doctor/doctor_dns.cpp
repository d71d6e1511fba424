// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's checks of the DNS: servers, signature, zones, the right to update, the delegation.
#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>

#include "commands/doctor/delegation.hpp"
#include "commands/doctor/doctor.hpp"
#include "server/wiring.hpp"
#include "update/dns_backend.hpp"

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;
using dns::DnsError;
constexpr auto patience = std::chrono::seconds(5);
constexpr auto look_up_time = std::chrono::seconds(10);  // for all hosts together
constexpr auto trial_time = std::chrono::seconds(20);    // for the trial updates of all zones
constexpr std::size_t most_zones = 20;                   // most zones to check
constexpr std::size_t most_culprits = 10;                // most failing hosts to find in one zone
constexpr dns::Type dnskey_type{48};                     // RFC 4034 §2
constexpr std::size_t trial_size = 100;                  // hosts in one trial update

/// Starts an asynchronous operation, runs `io` until it calls back, and returns its result.
template <class T, class Start>
T await(boost::asio::io_context& io, const Start& start) {
    std::optional<T> out;
    start([&out](T value) { out = std::move(value); });
    io.restart();
    while (!out && io.run_one() > 0) {
    }
    return std::move(*out);
}

/// The name of the check that a failure belongs to: "key", "clock", …
const char* check_of(const DnsError& failure) {
    switch (failure.kind) {
        case dns::ErrorKind::bad_time:
            return "clock";
        case dns::ErrorKind::bad_signature:
        case dns::ErrorKind::bad_key:
        case dns::ErrorKind::unsigned_answer:
        case dns::ErrorKind::forged_answer:
            return "signature";
        case dns::ErrorKind::key_file:
            return "key";
        case dns::ErrorKind::no_zone:
        case dns::ErrorKind::cname_conflict:
            return "zone";
        default:
            return "server";
    }
}

Finding finding_of(const DnsError& failure, const char* check = nullptr) {
    return {Level::bad, check != nullptr ? check : check_of(failure),
            failure.server.empty() ? failure.detail : failure.server + ": " + failure.detail,
            failure.cause};
}

/// The cause of an error in the answer to a query. `failure.cause` assumes an UPDATE.
std::string cause_of_query_error(const DnsError& failure) {
    const std::string rcode =
        failure.kind == dns::ErrorKind::rcode ? dns::rcode_text(failure.rcode) : "";
    if (rcode == "SERVFAIL")
        return "the zone is not loaded: named-checkconf -z (BIND), knotc zone-status (Knot), and "
               "the server's log";
    if (rcode == "REFUSED")
        return "the server has no such zone, or does not let this machine ask: check its zones, "
               "and allow-query (BIND)";
    return failure.cause;
}

/// Combines the hosts that fail for the same reason into one finding.
class HostFailures {
public:
    void add(const char* check, const DnsError& failure, const dns::Name& host,
             std::size_t count = 1) {
        auto& one = by_reason_[std::string(check) + ' ' + failure.key()];
        if (one.count == 0) {
            one.finding = finding_of(failure, check);
            one.finding.what = fmt::format("{}: {}", host.text(), one.finding.what);
        }
        one.count += count;
    }
    void tell(Findings& findings) {
        for (auto& [reason, one] : by_reason_) {
            if (one.count > 1)
                one.finding.what += fmt::format(" (and so {} more host{})", one.count - 1,
                                                one.count == 2 ? "" : "s");
            findings.push_back(std::move(one.finding));
        }
        by_reason_.clear();
    }

private:
    struct Reason {
        Finding finding{};
        std::size_t count = 0;
    };
    std::map<std::string, Reason> by_reason_{};
};

/// A host, and an address that it does not have.
struct TrialHost {
    dns::Name name;
    std::string absent;
};

class Dns {
public:
    Dns(const Patient& patient, Findings& findings) : patient_(patient), findings_(findings) {
        backend_.configure(server::zone_servers(patient.loaded.settings));
    }
    ~Dns() {
        backend_.close();
        io_.restart();
        io_.poll();
    }
    Dns(const Dns&) = delete;
    Dns& operator=(const Dns&) = delete;

    void examine() {
        if (!servers()) return;
        if (patient_.hosts.empty())
            findings_.push_back({Level::skipped, "zone", "no host is known here to ask for",
                                 "name one: --host home.dyn.example.org"});
        look_up_hosts();
        failures_.tell(findings_);
        const base::TimePoint until = base::Clock::now() + trial_time;
        std::size_t seen = 0;
        for (const auto& [zone, hosts] : zones_) {
            if (++seen > most_zones) break;
            examine_zone(zone, hosts, until);
        }
        if (zones_.size() > most_zones)
            findings_.push_back({Level::skipped, "zone",
                                 fmt::format("{} of {} zones were left out",
                                             zones_.size() - most_zones, zones_.size()),
                                 "name a host of them: --host home.dyn.example.org"});
    }

private:
    static base::TimePoint deadline() { return base::Clock::now() + patience; }

    /// Checks the servers. False: none of them can be used.
    bool servers() {
        const auto states = await<std::vector<update::ServerState>>(io_, [&](auto done) {
            update::engine_thread.assert_held();
            backend_.probe(deadline(), update::ProbeEnd::all_answered, done);
        });
        const bool usable = std::any_of(states.begin(), states.end(),
                                        [](const auto& state) { return !state.failure; });
        // Without configured servers (as nsupdate -l), one of the loopback addresses is enough.
        const bool usual = patient_.loaded.settings.dns.servers.empty() && usable;
        for (const auto& state : states) {
            if (!state.failure) {
                findings_.push_back(
                    {Level::good, "server",
                     fmt::format("{} answers, and takes the key's signature", state.name), ""});
            } else if (!usual && !is_said(*state.failure)) {
                findings_.push_back(finding_of(*state.failure));
            }
        }
        return usable;
    }

    /// Whether the failure is about a key file that the check of the files has reported already.
    [[nodiscard]] bool is_said(const DnsError& failure) const {
        return failure.kind == dns::ErrorKind::key_file &&
               std::any_of(findings_.begin(), findings_.end(), [](const Finding& one) {
                   return one.level == Level::bad && one.check == "key";
               });
    }

    void look_up_hosts() {
        const base::TimePoint until = base::Clock::now() + look_up_time;
        std::size_t looked = 0;
        for (const auto& host : patient_.hosts) {
            if (base::Clock::now() >= until) break;
            look_up(host);
            ++looked;
        }
        if (looked != patient_.hosts.size())
            findings_.push_back(
                {Level::skipped, "hosts",
                 fmt::format("{} of {} hosts were left out: {} s were not enough for all",
                             patient_.hosts.size() - looked, patient_.hosts.size(),
                             look_up_time.count()),
                 "--host home.dyn.example.org asks for one of them"});
    }

    void look_up(const dns::Name& host) {
        const auto failed = [&](DnsError failure) {
            failure.cause = cause_of_query_error(failure);
            failures_.add("zone", failure, host);
        };
        const auto zone = await<dns::DnsResult<dns::Name>>(
            io_, [&](auto done) { backend_.find_zone(host, deadline(), done); });
        if (zone.has_error()) return failed(zone.error());
        const auto served = records(*zone, host, dns::Type::a);
        if (served.has_error()) return failed(served.error());
        std::string absent("\xc0\x00\x02\x00", 4);  // from 192.0.2.0 (RFC 5737)
        while (std::find(served->begin(), served->end(), absent) != served->end()) ++absent.back();
        zones_[*zone].push_back({host, std::move(absent)});
    }

    dns::DnsResult<std::vector<std::string>> records(const dns::Name& zone, const dns::Name& name,
                                                     dns::Type type) {
        auto served = await<dns::DnsResult<update::ServedRecords>>(
            io_, [&](auto done) { backend_.look_up(zone, name, type, deadline(), done); });
        if (served.has_error()) return served.error();
        return std::move(served->rdata);
    }

    void examine_zone(const dns::Name& zone, const std::vector<TrialHost>& hosts,
                      base::TimePoint until) {
        findings_.push_back(
            {Level::good, "zone",
             fmt::format("{} is served; {}{} belongs to it", zone.text(), hosts.front().name.text(),
                         hosts.size() == 1 ? ""
                                           : fmt::format(" with {} more host{}", hosts.size() - 1,
                                                         hosts.size() == 2 ? "" : "s")),
             ""});
        try_updates(zone, hosts, until);
        look_at_zone_file(zone, patient_.named, findings_);
        ZoneAtHome home{.zone = zone, .servers = servers_of(zone)};
        const auto keys = records(zone, zone, dnskey_type);
        if (keys.has_value()) home.is_signed = !keys->empty();
        look_at_delegation(patient_, std::move(home), findings_);
    }

    /// The zone's own NS records; empty when the server does not return them.
    std::vector<NameServer> servers_of(const dns::Name& zone) {
        std::vector<NameServer> servers;
        const auto names = records(zone, zone, dns::Type::ns);
        if (names.has_error()) return servers;
        for (const auto& wire : *names) {
            NameServer server{
                dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(wire.data()))};
            const auto lacks = [&](dns::Type type) {
                const auto found = records(zone, server.name, type);
                return found.has_value() && found->empty();
            };
            if (server.name.is_within(zone))
                server.has_address = !(lacks(dns::Type::a) && lacks(dns::Type::aaaa));
            servers.push_back(std::move(server));
        }
        return servers;
    }

    /// The outcome of the trial updates of a zone.
    struct Trial {
        std::size_t taken = 0, left_out = 0, culprits = 0;
        std::chrono::milliseconds slowest{};
    };

    void try_updates(const dns::Name& zone, const std::vector<TrialHost>& hosts,
                     base::TimePoint until) {
        Trial trial;
        for (std::size_t i = 0; i < hosts.size(); i += trial_size)
            try_update(zone, std::span(hosts).subspan(i, std::min(trial_size, hosts.size() - i)),
                       until, trial);
        failures_.tell(findings_);
        if (trial.taken != 0)
            findings_.push_back(
                {Level::good, "update",
                 fmt::format("a trial update of {} that changes nothing was taken in {} ms",
                             trial.taken == 1 ? hosts.front().name.text()
                                              : fmt::format("{} hosts", trial.taken),
                             trial.slowest.count()),
                 ""});
        if (trial.left_out != 0)
            findings_.push_back({Level::skipped, "update",
                                 fmt::format("{} of {} hosts of {} were left out of the trial "
                                             "updates",
                                             trial.left_out, hosts.size(), zone.text()),
                                 "--host home.dyn.example.org tries one of them"});
        if (trial.slowest * 2 > patient_.loaded.settings.timeout)
            findings_.push_back(
                {Level::warning, "limits",
                 fmt::format("the server took {} ms, and requests are given up after {} ms",
                             trial.slowest.count(), patient_.loaded.settings.timeout.count()),
                 "raise [dns] timeout, or see why the server is slow"});
    }

    /// Sends a trial update that needs the right to update, and changes nothing: it deletes an
    /// address that the hosts do not have. A refused update is split into halves until the failing
    /// host is alone.
    void try_update(const dns::Name& zone, std::span<const TrialHost> hosts, base::TimePoint until,
                    Trial& trial) {
        if (base::Clock::now() >= until || trial.culprits >= most_culprits) {
            trial.left_out += hosts.size();
            return;
        }
        const auto began = base::Clock::now();
        const auto reply = send_trial(zone, hosts);
        if (!reply.has_error()) {
            trial.taken += hosts.size();
            const auto took =
                std::chrono::duration_cast<std::chrono::milliseconds>(base::Clock::now() - began);
            trial.slowest = std::max(trial.slowest, took);
            return;
        }
        if (reply.error().is_refusal() && hosts.size() > 1) {
            const std::size_t half = hosts.size() / 2;
            try_update(zone, hosts.first(half), until, trial);
            return try_update(zone, hosts.subspan(half), until, trial);
        }
        DnsError failure = reply.error();
        if (failure.kind == dns::ErrorKind::rcode && dns::rcode_text(failure.rcode) == "SERVFAIL")
            failure.cause =
                "the zone is not loaded, or can't be written: named-checkzone, and the server's "
                "log";
        ++trial.culprits;
        failures_.add("update", failure, hosts.front().name, hosts.size());
    }

    dns::Reply send_trial(const dns::Name& zone, std::span<const TrialHost> hosts) {
        dns::UpdateMessage message;
        message.zone = zone;
        message.prerequisites.push_back(
            {zone, dns::Type(255), dns::UpdateRecord::Class::any, 0, {}});
        for (const auto& host : hosts)
            message.updates.push_back(
                {host.name, dns::Type::a, dns::UpdateRecord::Class::none, 0, host.absent});
        return await<dns::Reply>(
            io_, [&](auto done) { backend_.apply(zone, message, deadline(), done, [] {}); });
    }

    const Patient& patient_;
    Findings& findings_;
    HostFailures failures_{};
    std::map<dns::Name, std::vector<TrialHost>> zones_{};
    boost::asio::io_context io_;
    update::DnsBackend backend_{io_};
};

}  // namespace

void look_at_dns(const Patient& patient, Findings& findings) { Dns(patient, findings).examine(); }

}  // namespace sftdyn::commands
