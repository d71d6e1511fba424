// SPDX-License-Identifier: GPL-3.0-or-later
// What a server's answer says of a name. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "dns/message.hpp"
#include "update/desired_record.hpp"

namespace sftdyn::update {

/// Answered as who knows: NOERROR or NXDOMAIN, authoritative.
[[nodiscard]] bool is_authoritative(const dns::Answer& answer);

/// The zone that an authoritative answer to a SOA query of `name` tells (RFC 2136 §7, as nsupdate
/// does); absent: it tells none.
[[nodiscard]] std::optional<dns::Name> zone_in(const dns::Answer& answer, const dns::Name& name);

/// The name at which another server is said to begin (a referral, RFC 1034 §4.3.2), if that holds
/// `name`.
[[nodiscard]] std::optional<dns::Name> delegation_in(const dns::Answer& answer,
                                                     const dns::Name& name);

/// What is at a name, as far as the answer tells.
struct AnswerReading {
    ServedRecords records{};  ///< with the owner `name`, maybe made of a wildcard's
    bool has_cname = false;   ///< one stands at the name, or is made of a wildcard's
};

/// Reads the answer to a query for `name` and `type`, a name of `zone`. It is a failure when the
/// server does not know, when another zone than `zone` holds the name, and when a DNAME stands
/// above it. `server` is for messages.
[[nodiscard]] dns::DnsResult<AnswerReading> read_served(const dns::Answer& answer,
                                                        const dns::Name& zone,
                                                        const dns::Name& name, dns::Type type,
                                                        const std::string& server);

/// No zone of the server's holds the name.
[[nodiscard]] dns::DnsError zone_not_served(const dns::Name& name, const std::string& server,
                                            const std::string& answer);
/// The server has handed the part of its zone that holds the name to another.
[[nodiscard]] dns::DnsError delegated_away(const dns::Name& name, const dns::Name& cut,
                                           const std::string& server);
/// The configuration names a zone that the server does not have: it answers from one above.
[[nodiscard]] dns::DnsError zone_not_there(const dns::Name& configured, const dns::Name& found,
                                           const std::string& server);
[[nodiscard]] dns::DnsError cname_at(const dns::Name& name, const std::string& server);

}  // namespace sftdyn::update
