// SPDX-License-Identifier: GPL-3.0-or-later
// Queries the DNS as any Internet host does: without a key, through a resolver and at the servers
// of the parent zone.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <boost/asio/io_context.hpp>

#include "base/network.hpp"
#include "base/random.hpp"
#include "commands/doctor/delegation.hpp"
#include "dns/udp_channel.hpp"

namespace sftdyn::commands {
namespace {

constexpr auto answer_patience = std::chrono::seconds(3);
constexpr auto walk_patience = std::chrono::seconds(15);  // for all queries about one zone
constexpr unsigned char recursion_desired = 0x01;         // RFC 1035 §4.1.1, in the third octet

/// The first server of resolv.conf(5).
std::optional<dns::ServerAddress> system_resolver() {
    std::ifstream file("/etc/resolv.conf");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string keyword, server;
        words >> keyword >> server;
        if (keyword != "nameserver") continue;
        if (const auto address = base::parse_zoned_address(server))
            return dns::ServerAddress{*address, 53};
    }
    return std::nullopt;
}

/// Sends one query after the other, and blocks for each answer; all within `walk_patience`.
class World {
public:
    explicit World(dns::ServerAddress resolver) : resolver_(std::move(resolver)) {}

    std::optional<dns::Answer> ask(const std::optional<dns::ServerAddress>& server,
                                   const dns::Name& name, dns::Type type) {
        const base::TimePoint now = base::Clock::now();
        if (now >= until_) return std::nullopt;
        const auto& [address, port] = server.value_or(resolver_);
        boost::asio::io_context io;
        const auto channel = std::make_shared<dns::UdpChannel>(
            io, boost::asio::ip::udp::endpoint(address, port), base::system_time(io));
        auto question = dns::make_query(base::random_u16(), name, type, nullptr);
        if (question.has_error()) return std::nullopt;
        if (!server) question->wire[2] = static_cast<char>(question->wire[2] | recursion_desired);
        std::optional<dns::Reply> reply;
        channel->send(std::move(*question), std::min(until_, now + answer_patience),
                      [&reply](dns::Reply got) { reply = std::move(got); });
        while (!reply && io.run_one() > 0) {
        }
        channel->close();
        io.restart();
        io.poll();
        if (!reply || reply->has_error()) return std::nullopt;
        return std::move(**reply);
    }

private:
    dns::ServerAddress resolver_;
    base::TimePoint until_ = base::Clock::now() + walk_patience;
};

}  // namespace

void look_at_delegation(const Patient& patient, ZoneAtHome home, Findings& findings) {
    const auto resolver = patient.resolver ? patient.resolver : system_resolver();
    std::optional<World> world;
    if (resolver) {
        home.resolver = dns::text_of(*resolver);
        home.resolver_is_here = resolver->address.is_loopback();
        world.emplace(*resolver);
    }
    const auto found = findings_of_delegation(
        home,
        [&world](const std::optional<dns::ServerAddress>& server, const dns::Name& name,
                 dns::Type type) -> std::optional<dns::Answer> {
            return world ? world->ask(server, name, type) : std::nullopt;
        });
    findings.insert(findings.end(), found.begin(), found.end());
}

}  // namespace sftdyn::commands
