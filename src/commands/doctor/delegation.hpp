// SPDX-License-Identifier: GPL-3.0-or-later
// Whether the world's resolvers come to a zone: what the zone above it says, what the zone says of
// its own servers, and whether both fit. Pure: who asks the DNS is given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "commands/doctor/doctor.hpp"
#include "dns/message.hpp"
#include "dns/server_client.hpp"

namespace sftdyn::commands {

/// Asks a server without recursion, or the resolver where none is named. Nothing: no answer came.
using AskServer = std::function<std::optional<dns::Answer>(
    const std::optional<dns::ServerAddress>& server, const dns::Name& name, dns::Type type)>;

/// One of the zone's own NS records.
struct NameServer {
    dns::Name name{};
    bool has_address = true;  ///< in the zone; of a name outside of it the resolver is asked
};

/// A zone as its own server has it.
struct ZoneAtHome {
    dns::Name zone{};
    std::vector<NameServer> servers{};  ///< empty: not known
    std::optional<bool> is_signed{};    ///< has DNSKEY records; absent: not known
    std::string resolver{};             ///< that is asked, for messages
    bool resolver_is_here = false;      ///< on this machine: it may have the zone itself
};

[[nodiscard]] Findings findings_of_delegation(const ZoneAtHome& home, const AskServer& ask);

}  // namespace sftdyn::commands
