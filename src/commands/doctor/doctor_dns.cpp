// SPDX-License-Identifier: GPL-3.0-or-later
// What the doctor sees of the DNS: servers, signature, zones, the right to update, the delegation.
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>

#include "commands/doctor/doctor.hpp"
#include "platform/access_as_user.hpp"
#include "server/wiring.hpp"
#include "update/dns_backend.hpp"

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;
using dns::DnsError;
constexpr auto patience = std::chrono::seconds(5);

/// Runs what calls back later, and returns what it gives.
template <class T, class Start>
T await(boost::asio::io_context& io, const Start& start) {
    std::optional<T> out;
    start([&out](T value) { out = std::move(value); });
    io.restart();
    while (!out && io.run_one() > 0) {
    }
    return std::move(*out);
}

/// "key", "clock", … by what went wrong.
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
        std::set<dns::Name> zones;
        for (const auto& host : patient_.hosts) {
            const auto zone = zone_of(host);
            if (zone && zones.insert(*zone).second) examine_zone(*zone, host);
        }
        if (patient_.hosts.empty())
            findings_.push_back({Level::skipped, "zone", "no host is known here to ask for",
                                 "name one: --host home.dyn.example.org"});
    }

private:
    base::TimePoint deadline() const { return base::Clock::now() + patience; }

    /// False: none of them can be used.
    bool servers() {
        const auto states = await<std::vector<update::ServerState>>(io_, [&](auto done) {
            update::engine_thread.assert_held();
            backend_.probe(deadline(), update::ProbeEnd::all_answered, done);
        });
        const bool usable = std::any_of(states.begin(), states.end(),
                                        [](const auto& state) { return !state.failure; });
        // As nsupdate -l: the second address stands for the first.
        const bool usual = patient_.loaded.settings.dns.servers.empty() && usable;
        for (const auto& state : states) {
            if (!state.failure) {
                findings_.push_back(
                    {Level::good, "server",
                     fmt::format("{} answers, and takes the key's signature", state.name), ""});
            } else if (!usual) {
                findings_.push_back(finding_of(*state.failure));
            }
        }
        return usable;
    }

    std::optional<dns::Name> zone_of(const dns::Name& host) {
        const auto zone = await<dns::DnsResult<dns::Name>>(
            io_, [&](auto done) { backend_.find_zone(host, deadline(), done); });
        if (zone.has_value()) return *zone;
        Finding finding = finding_of(zone.error(), "zone");
        finding.what = fmt::format("{}: {}", host.text(), finding.what);
        findings_.push_back(std::move(finding));
        return std::nullopt;
    }

    void examine_zone(const dns::Name& zone, const dns::Name& host) {
        const auto served = await<dns::DnsResult<update::ServedRecords>>(
            io_, [&](auto done) { backend_.look_up(zone, host, dns::Type::a, deadline(), done); });
        if (served.has_error()) {
            findings_.push_back(finding_of(served.error(), "zone"));
            return;
        }
        findings_.push_back({Level::good, "zone",
                             fmt::format("{} is served, and holds {}", zone.text(), host.text()),
                             ""});
        try_update(zone, host, served->rdata);
        look_at_zone_file(zone, patient_.named, findings_);
        look_at_delegation(patient_, zone, findings_);
    }

    /// Deletes an address that is not there, provided that the zone is: it needs the right to
    /// change, and changes nothing.
    void try_update(const dns::Name& zone, const dns::Name& host,
                    const std::vector<std::string>& served) {
        dns::UpdateMessage message;
        message.zone = zone;
        message.prerequisites.push_back(
            {zone, dns::Type(255), dns::UpdateRecord::Class::any, 0, {}});
        std::string absent("\xc0\x00\x02\x00", 4);  // 192.0.2.0 and on (RFC 5737)
        while (std::find(served.begin(), served.end(), absent) != served.end()) ++absent.back();
        message.updates.push_back({host, dns::Type::a, dns::UpdateRecord::Class::none, 0, absent});
        const auto began = base::Clock::now();
        const auto reply = await<dns::Reply>(
            io_, [&](auto done) { backend_.apply(zone, message, deadline(), done, [] {}); });
        if (reply.has_error()) {
            Finding finding = finding_of(reply.error(), "update");
            if (reply.error().kind == dns::ErrorKind::rcode &&
                dns::rcode_text(reply.error().rcode) == "SERVFAIL")
                finding.remedy =
                    "the zone is not loaded, or can't be written: named-checkzone, and the "
                    "server's log";
            findings_.push_back(std::move(finding));
            return;
        }
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(base::Clock::now() - began);
        findings_.push_back(
            {Level::good, "update",
             fmt::format("a trial update of {} that changes nothing was taken in {} ms",
                         host.text(), took.count()),
             ""});
        if (took * 2 > patient_.loaded.settings.timeout)
            findings_.push_back(
                {Level::warning, "limits",
                 fmt::format("the server took {} ms, and requests are given up after {} ms",
                             took.count(), patient_.loaded.settings.timeout.count()),
                 "raise [dns] timeout, or see why the server is slow"});
    }

    const Patient& patient_;
    Findings& findings_;
    boost::asio::io_context io_;
    update::DnsBackend backend_{io_};
};

/// The system's resolver, or the one that is named.
bool set_up(res_state state, const std::string& resolver) {
    if (res_ninit(state) != 0) return false;
    state->retrans = 2;
    state->retry = 1;
    if (resolver.empty()) return state->nscount > 0;
    const auto server = config::parse_server(resolver);
    if (server.has_error() || !server->address.is_v4()) return false;
    state->nscount = 1;
    state->nsaddr_list[0].sin_family = AF_INET;
    state->nsaddr_list[0].sin_port = htons(server->port);
    state->nsaddr_list[0].sin_addr.s_addr = htonl(server->address.to_v4().to_uint());
    return true;
}

}  // namespace

void look_at_dns(const Patient& patient, Findings& findings) { Dns(patient, findings).examine(); }

void look_at_delegation(const Patient& patient, const dns::Name& zone, Findings& findings) {
    struct __res_state state {};
    const bool ready = set_up(&state, patient.resolver);
    std::array<unsigned char, 4096> answer{};
    const int size = ready ? res_nquery(&state, zone.text().c_str(), ns_c_in, ns_t_ns,
                                        answer.data(), answer.size())
                           : -1;
    const int error = state.res_h_errno;
    if (ready) res_nclose(&state);
    if (size > 0) {
        findings.push_back(
            {Level::good, "delegation", fmt::format("the world finds {}", zone.text()), ""});
    } else if (ready && (error == HOST_NOT_FOUND || error == NO_DATA)) {
        findings.push_back(
            {Level::warning, "delegation", fmt::format("the world does not find {}", zone.text()),
             fmt::format(
                 "the zone above must delegate it: {} NS name-of-this-server, at whoever serves {}",
                 zone.text(), zone.parent().text())});
    } else {
        findings.push_back({Level::skipped, "delegation",
                            "no resolver could be asked how the world sees the zone", ""});
    }
}

}  // namespace sftdyn::commands
