// SPDX-License-Identifier: GPL-3.0-or-later
// Interprets a server's answer to a query for a name. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dns/message.hpp"
#include "update/desired_record.hpp"

namespace sftdyn::update {

/// True for an authoritative answer with NOERROR or NXDOMAIN.
[[nodiscard]] bool is_authoritative(const dns::Answer& answer);

/// The zone of `name` according to an authoritative answer to its SOA query (RFC 2136 §7, as
/// nsupdate does); absent: the answer names no zone.
[[nodiscard]] std::optional<dns::Name> zone_in(const dns::Answer& answer, const dns::Name& name);

/// The serial in an authoritative answer to the SOA query for `zone` (RFC 1035 §3.3.13); absent:
/// the answer has none.
[[nodiscard]] std::optional<std::uint32_t> serial_in(const dns::Answer& answer,
                                                     const dns::Name& zone);

/// The zone cut of a referral (RFC 1034 §4.3.2) if `name` is at or below it; absent: the answer is
/// no such referral.
[[nodiscard]] std::optional<dns::Name> delegation_in(const dns::Answer& answer,
                                                     const dns::Name& name);

/// What an answer says about the records at a name.
struct AnswerReading {
    ServedRecords records{};  ///< with the owner `name`; may be synthesized from a wildcard
    bool has_cname = false;   ///< at the name, or synthesized from a wildcard
};

/// Reads the answer to a query for `name` and `type`, where `name` is in `zone`. Fails when the
/// answer is not authoritative, when the name is in another zone than `zone`, and when there is a
/// DNAME above it. `server` is used in error messages.
[[nodiscard]] dns::DnsResult<AnswerReading> read_served(const dns::Answer& answer,
                                                        const dns::Name& zone,
                                                        const dns::Name& name, dns::Type type,
                                                        const std::string& server);

/// The server has no zone that contains the name.
[[nodiscard]] dns::DnsError zone_not_served(const dns::Name& name, const std::string& server,
                                            const std::string& answer);
/// The server's zone delegates the name, at `cut`, to other servers.
[[nodiscard]] dns::DnsError delegated_away(const dns::Name& name, const dns::Name& cut,
                                           const std::string& server);
/// The server does not have the zone that the configuration names; it answers from a parent zone.
[[nodiscard]] dns::DnsError zone_not_there(const dns::Name& configured, const dns::Name& found,
                                           const std::string& server);
[[nodiscard]] dns::DnsError cname_at(const dns::Name& name, const std::string& server);

}  // namespace sftdyn::update
