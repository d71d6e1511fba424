// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/answer_reading.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dns/knot.hpp"

namespace sftdyn::update {
namespace {

using dns::DnsError;
using dns::Name;
using dns::Type;

const dns::Record* find_type(const std::vector<dns::Record>& records, Type type) {
    const auto found = std::find_if(records.begin(), records.end(),
                                    [type](const auto& record) { return record.type == type; });
    return found == records.end() ? nullptr : &*found;
}

/// The zone that an authoritative answer comes from, if the answer shows it: a negative answer has
/// the SOA in its authority section, a positive one may have the NS records.
std::optional<Name> answering_zone(const dns::Answer& answer, const Name& name) {
    for (const Type type : {Type::soa, Type::ns}) {
        const dns::Record* record = find_type(answer.authority, type);
        if (record != nullptr && name.is_within(record->owner)) return record->owner;
    }
    return std::nullopt;
}

DnsError other_zone(const Name& name, const Name& zone, const Name& other,
                    const std::string& server) {
    return {dns::ErrorKind::no_zone, 0, server,
            fmt::format("{} is in the server's zone {}, not in {}", name.text(), other.text(),
                        zone.text()),
            "the zone is looked for again with the next request"};
}

DnsError below_dname(const Name& name, const Name& dname, const std::string& server) {
    return {dns::ErrorKind::cname_conflict, 0, server,
            fmt::format("{} is below {}, which is a DNAME", name.text(), dname.text()),
            "nothing below a DNAME is served: remove it, or use another name"};
}

}  // namespace

bool is_authoritative(const dns::Answer& answer) {
    return answer.authoritative &&
           (answer.rcode == KNOT_RCODE_NOERROR || answer.rcode == KNOT_RCODE_NXDOMAIN);
}

std::optional<Name> zone_in(const dns::Answer& answer, const Name& name) {
    if (!is_authoritative(answer) || find_type(answer.answers, Type::cname) != nullptr)
        return std::nullopt;
    const dns::Record* soa = find_type(answer.answers, Type::soa);
    if (soa == nullptr) soa = find_type(answer.authority, Type::soa);
    if (soa == nullptr || !name.is_within(soa->owner)) return std::nullopt;
    return soa->owner;
}

std::optional<std::uint32_t> serial_in(const dns::Answer& answer, const Name& zone) {
    // Two names, of one octet at least, then five numbers, of which the serial is the first.
    constexpr std::size_t numbers = 20, least = 2 + numbers;
    if (!is_authoritative(answer)) return std::nullopt;
    const dns::Record* soa = find_type(answer.answers, Type::soa);
    if (soa == nullptr || soa->owner != zone || soa->rdata.size() < least) return std::nullopt;
    std::uint32_t serial = 0;
    for (const char octet : soa->rdata.substr(soa->rdata.size() - numbers, sizeof serial))
        serial = serial << 8U | static_cast<unsigned char>(octet);
    return serial;
}

std::optional<Name> delegation_in(const dns::Answer& answer, const Name& name) {
    if (answer.authoritative || answer.rcode != KNOT_RCODE_NOERROR || !answer.answers.empty())
        return std::nullopt;
    const dns::Record* cut = find_type(answer.authority, Type::ns);
    if (cut == nullptr || cut->owner.is_root() || !name.is_within(cut->owner)) return std::nullopt;
    return cut->owner;
}

dns::DnsResult<AnswerReading> read_served(const dns::Answer& answer, const Name& zone,
                                          const Name& name, Type type, const std::string& server) {
    const std::string what = fmt::format("the {} query for {}", dns::type_text(type), name.text());
    if (answer.rcode != KNOT_RCODE_NOERROR && answer.rcode != KNOT_RCODE_NXDOMAIN)
        return dns::query_failure(answer.rcode, server, what);
    if (const auto cut = delegation_in(answer, name)) return delegated_away(name, *cut, server);
    if (!answer.authoritative) {
        return DnsError{dns::ErrorKind::no_zone, 0, server,
                        fmt::format("the DNS server's answer to {} is not authoritative", what),
                        "sftdyn must talk to the zone's primary server, not to a resolver"};
    }
    AnswerReading reading;
    for (const auto& record : answer.answers) {
        if (record.type == Type::dname && record.owner != name && name.is_within(record.owner))
            return below_dname(name, record.owner, server);
        if (record.owner != name) continue;
        if (record.type == Type::cname) reading.has_cname = true;
        if (record.type != type) continue;
        if (reading.records.rdata.empty()) reading.records.ttl = record.ttl;
        reading.records.rdata.push_back(record.rdata);
    }
    // Servers rotate the order of records.
    std::sort(reading.records.rdata.begin(), reading.records.rdata.end());
    // The target of a CNAME may be in another zone.
    const auto answering = reading.has_cname ? std::nullopt : answering_zone(answer, name);
    if (answering && *answering != zone) return other_zone(name, zone, *answering, server);
    return reading;
}

DnsError zone_not_served(const Name& name, const std::string& server, const std::string& answer) {
    return {dns::ErrorKind::no_zone, 0, server,
            fmt::format("the DNS server serves no zone that holds {} (it answered {})", name.text(),
                        answer),
            "add the zone to the DNS server, or correct the host's name"};
}

DnsError delegated_away(const Name& name, const Name& cut, const std::string& server) {
    return {dns::ErrorKind::no_zone, 0, server,
            fmt::format("{} is not this server's: it delegates {} to another (an NS record)",
                        name.text(), cut.text()),
            fmt::format("name that server in a [[zone]] with name = \"{}\", or remove the "
                        "delegation",
                        cut.text())};
}

DnsError zone_not_there(const Name& configured, const Name& found, const std::string& server) {
    return {dns::ErrorKind::no_zone, 0, server,
            fmt::format("the DNS server has no zone {}: it answers from {}", configured.text(),
                        found.text()),
            "correct the zone's name in the configuration, or leave it out"};
}

DnsError cname_at(const Name& name, const std::string& server) {
    return {dns::ErrorKind::cname_conflict, 0, server, fmt::format("{} is a CNAME", name.text()),
            "a name with a CNAME can't have an address: remove the CNAME, or use another name"};
}

}  // namespace sftdyn::update
