// SPDX-License-Identifier: GPL-3.0-or-later
// Checks whether public resolvers find a zone: the delegation in the parent zone, the zone's own NS
// records, and whether both match. Pure: the caller passes the function that queries the DNS.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/doctor/doctor.hpp"
#include "dns/message.hpp"
#include "dns/server_client.hpp"

namespace sftdyn::commands {

/// Queries a server without recursion; without a server, queries the resolver. Nothing: no answer
/// came.
using AskServer = std::function<std::optional<dns::Answer>(
    const std::optional<dns::ServerAddress>& server, const dns::Name& name, dns::Type type)>;

/// One of the zone's own NS records.
struct NameServer {
    dns::Name name{};
    bool has_address = true;  ///< in the zone; not used for names outside of it
};

/// A zone's data on its own server.
struct ZoneAtHome {
    dns::Name zone{};
    std::vector<NameServer> servers{};  ///< empty: not known
    std::optional<bool> is_signed{};    ///< has DNSKEY records; absent: not known
    std::string resolver{};             ///< the resolver's address, for messages
    bool resolver_is_here = false;      ///< it is on this machine, and may have the zone itself
};

[[nodiscard]] Findings findings_of_delegation(const ZoneAtHome& home, const AskServer& ask);

}  // namespace sftdyn::commands
