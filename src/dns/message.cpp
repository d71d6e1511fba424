// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/message.hpp"
#include "dns/knot.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace sftdyn::dns {
namespace {

struct FreePacket {
    void operator()(knot_pkt_t* packet) const { knot_pkt_free(packet); }
};
using Packet = std::unique_ptr<knot_pkt_t, FreePacket>;

constexpr std::size_t largest_mac = 64;  // HMAC-SHA-512

Packet new_packet(std::uint16_t id, std::uint8_t opcode) {
    Packet packet(knot_pkt_new(nullptr, KNOT_WIRE_MAX_PKTSIZE, nullptr));
    if (!packet) throw std::bad_alloc();
    knot_wire_set_id(packet->wire, id);
    knot_wire_set_opcode(packet->wire, opcode);
    return packet;
}

DnsError own_failure(std::string what) {
    return {ErrorKind::malformed, 0, "", std::move(what),
            "this is a defect of sftdyn: please report it"};
}

DnsError too_large() {
    return {ErrorKind::malformed, 0, "",
            "the UPDATE does not fit into a DNS message (65535 octets, RFC 1035 §4.2.2)",
            "send it as several: in a script, with `send` between them"};
}

/// Appends one record to the current section.
int put(knot_pkt_t* packet, const Name& owner, Type type, std::uint16_t rclass, std::uint32_t ttl,
        const std::string& rdata) {
    // libknot neither copies nor changes the owner and the data.
    knot_rrset_t rr;
    knot_rrset_init(&rr, const_cast<std::uint8_t*>(owner.wire()), static_cast<std::uint16_t>(type),
                    rclass, ttl);
    alignas(knot_rdata_t) std::array<std::uint8_t, sizeof(knot_rdata_t) + 512> small;
    std::vector<knot_rdata_t> large;
    if (rdata.size() > small.size() - sizeof(knot_rdata_t))
        large.resize(rdata.size() / sizeof(knot_rdata_t) + 2);
    auto* data = large.empty() ? reinterpret_cast<knot_rdata_t*>(small.data()) : large.data();
    knot_rdata_init(data, static_cast<std::uint16_t>(rdata.size()),
                    reinterpret_cast<const std::uint8_t*>(rdata.data()));
    rr.rrs.count = 1;
    rr.rrs.size = static_cast<std::uint32_t>(knot_rdata_size(data->len));
    rr.rrs.rdata = data;
    return knot_pkt_put(packet, KNOT_COMPR_HINT_NONE, &rr, KNOT_PF_NOTRUNC);
}

int put_change(knot_pkt_t* packet, const Change& change) {
    if (change.kind == ChangeKind::claim) {
        return put(packet, change.owner, change.type, KNOT_CLASS_IN, change.ttl, change.rdata);
    }
    if (change.kind == ChangeKind::remove_record) {
        return put(packet, change.owner, change.type, KNOT_CLASS_NONE, 0, change.rdata);
    }
    const int rc = put(packet, change.owner, change.type, KNOT_CLASS_ANY, 0, {});
    if (rc != KNOT_EOK || change.kind == ChangeKind::remove) return rc;
    return put(packet, change.owner, change.type, KNOT_CLASS_IN, change.ttl, change.rdata);
}

/// Writes "RRset does not exist" prerequisites (RFC 2136 §2.4.3), each of them once.
class AbsentRrsets {
public:
    explicit AbsentRrsets(knot_pkt_t* packet) : packet_(packet) {}

    int put_for(const Change& change, const Name& zone) {
        int rc = put_once(change.owner, Type::cname);
        if (rc != KNOT_EOK) return rc;
        if (change.kind == ChangeKind::claim) return put_once(change.owner, change.type);
        Name above = change.owner;
        while (rc == KNOT_EOK && above.size() > zone.size()) {
            above = above.parent();
            rc = put_once(above, Type::dname);
            if (rc == KNOT_EOK && above.size() > zone.size()) rc = put_once(above, Type::ns);
        }
        return rc;
    }

private:
    int put_once(const Name& name, Type type) {
        if (!written_.emplace(name, type).second) return KNOT_EOK;
        return put(packet_, name, type, KNOT_CLASS_NONE, 0, {});
    }

    knot_pkt_t* packet_;
    std::set<std::pair<Name, Type>> written_;
};

int put_changes(knot_pkt_t* packet, const Name& zone, const std::vector<Change>& changes) {
    int rc = knot_pkt_begin(packet, KNOT_ANSWER);  // the Prerequisite section (RFC 2136 §2.4)
    AbsentRrsets absent(packet);
    for (auto change = changes.begin(); rc == KNOT_EOK && change != changes.end(); ++change) {
        if (adds_record(*change)) rc = absent.put_for(*change, zone);
    }
    if (rc == KNOT_EOK)
        rc = knot_pkt_begin(packet, KNOT_AUTHORITY);  // the Update section (RFC 2136 §2.5)
    for (auto change = changes.begin(); rc == KNOT_EOK && change != changes.end(); ++change)
        rc = put_change(packet, *change);
    return rc;
}

int put_section(knot_pkt_t* packet, knot_section_t section,
                const std::vector<UpdateRecord>& records) {
    int rc = knot_pkt_begin(packet, section);
    for (auto record = records.begin(); rc == KNOT_EOK && record != records.end(); ++record) {
        rc = put(packet, record->owner, record->type, static_cast<std::uint16_t>(record->rclass),
                 record->ttl, record->rdata);
    }
    return rc;
}

/// Signs the packet (RFC 8945 §5.1) and copies its octets.
DnsResult<OutgoingMessage> finish(Packet packet, std::uint16_t id, const TsigKeyPtr& key) {
    OutgoingMessage out;
    out.id = id;
    if (key) {
        std::array<std::uint8_t, largest_mac> mac{};
        std::size_t mac_size = mac.size();
        const int rc = knot_tsig_sign(packet->wire, &packet->size, packet->max_size, nullptr, 0,
                                      mac.data(), &mac_size, &key->raw(), 0, 0);
        if (rc != KNOT_EOK)
            return own_failure(
                fmt::format("the message could not be signed: {}", knot_strerror(rc)));
        out.mac.assign(reinterpret_cast<const char*>(mac.data()), mac_size);
        out.key = key;
    }
    out.wire.assign(reinterpret_cast<const char*>(packet->wire), packet->size);
    return out;
}

std::vector<Record> records(const knot_pkt_t& packet, knot_section_t which) {
    std::vector<Record> out;
    const knot_pktsection_t* section = knot_pkt_section(&packet, which);
    for (std::uint16_t i = 0; i < section->count; ++i) {
        const knot_rrset_t* rr = knot_pkt_rr(section, i);
        if (rr->rclass != KNOT_CLASS_IN) continue;
        const knot_rdata_t* data = rr->rrs.rdata;
        for (std::uint16_t j = 0; j < rr->rrs.count;
             ++j, data = knot_rdataset_next(const_cast<knot_rdata_t*>(data))) {
            out.push_back({Name::from_wire(rr->owner), static_cast<Type>(rr->type), rr->ttl,
                           std::string(reinterpret_cast<const char*>(data->data), data->len)});
        }
    }
    return out;
}

/// The difference between the server's clock and ours, from BADTIME's Other Data (RFC 8945 §5.2.3),
/// or else from the time of signing.
std::string clock_difference(const knot_rrset_t& tsig) {
    const bool told = knot_tsig_rdata_other_data_length(&tsig) == 6;
    const auto theirs =
        static_cast<std::int64_t>(told ? knot_wire_read_u48(knot_tsig_rdata_other_data(&tsig))
                                       : knot_tsig_rdata_time_signed(&tsig));
    const std::int64_t ahead = static_cast<std::int64_t>(std::time(nullptr)) - theirs;
    return fmt::format("this machine's clock is {} s {} the DNS server's", std::abs(ahead),
                       ahead < 0 ? "behind" : "ahead of");
}

std::string key_words(const OutgoingMessage& request) {
    return fmt::format("key \"{}\", {}", request.key->name(), request.key->algorithm());
}

DnsError tsig_error(const OutgoingMessage& request, const knot_rrset_t& tsig,
                    const std::string& server) {
    switch (knot_tsig_rdata_error(&tsig)) {
        case KNOT_RCODE_BADSIG:
            return {ErrorKind::bad_signature, 0, server,
                    fmt::format("NOTAUTH (BADSIG): the DNS server rejects our signature ({})",
                                key_words(request)),
                    "the secret or the algorithm is not the one that the server has for this key; "
                    "if it is BIND's session key, is the file from this "
                    "named?"};
        case KNOT_RCODE_BADTIME:
            return {ErrorKind::bad_time, 0, server, "NOTAUTH (BADTIME): " + clock_difference(tsig),
                    "set both clocks (NTP)"};
        case KNOT_RCODE_BADKEY:
            return {ErrorKind::bad_key, 0, server,
                    fmt::format("NOTAUTH (BADKEY): the DNS server does not know our key, or does "
                                "not let it do this ({})",
                                key_words(request)),
                    "add the key to the server's configuration and let it update the zone, and "
                    "compare name and algorithm on both sides"};
        default:
            return {ErrorKind::bad_key, 0, server,
                    fmt::format("the DNS server answered TSIG error {} ({})",
                                rcode_text(knot_tsig_rdata_error(&tsig)), key_words(request)),
                    "compare the key on both sides"};
    }
}

/// False when the answer has another question than the request. Some error answers have no
/// question.
bool is_to_this(const OutgoingMessage& request, const knot_pkt_t& packet) {
    const knot_dname_t* asked =
        reinterpret_cast<const std::uint8_t*>(request.wire.data()) + KNOT_WIRE_HEADER_SIZE;
    const knot_dname_t* repeated = knot_pkt_qname(&packet);
    if (request.wire.empty() || repeated == nullptr) return true;
    const std::uint16_t type = knot_wire_read_u16(asked + knot_dname_size(asked));
    return knot_dname_is_case_equal(asked, repeated) && knot_pkt_qtype(&packet) == type;
}

/// Verifies the answer. Returns whether it was signed, or an error if it can't be trusted.
DnsResult<bool> verify(const OutgoingMessage& request, const knot_pkt_t& packet,
                       const std::string& server) {
    if (!request.key) return false;
    const knot_rrset_t* tsig = packet.tsig_rr;
    const std::uint16_t rcode = knot_wire_get_rcode(packet.wire);
    if (tsig == nullptr) {
        // Servers do not sign some errors, and an attacker gains nothing by forging an error. Other
        // answers must be signed.
        if (rcode != KNOT_RCODE_NOERROR && rcode != KNOT_RCODE_NXDOMAIN) return false;
        return DnsError{ErrorKind::unsigned_answer, 0, server,
                        "the DNS server's answer is not signed",
                        "is it really that server, and does it know TSIG?"};
    }
    const std::uint16_t error = knot_tsig_rdata_error(tsig);
    if (error != KNOT_RCODE_NOERROR) return tsig_error(request, *tsig, server);
    const int rc = knot_tsig_client_check(tsig, packet.wire, packet.size,
                                          reinterpret_cast<const std::uint8_t*>(request.mac.data()),
                                          request.mac.size(), &request.key->raw(), 0);
    if (rc == KNOT_TSIG_EBADTIME) {
        return DnsError{ErrorKind::bad_time, 0, server,
                        "BADTIME: the DNS server's answer was signed at another time: " +
                            clock_difference(*tsig),
                        "set both clocks (NTP)"};
    }
    if (rc != KNOT_EOK) {
        return DnsError{ErrorKind::forged_answer, 0, server,
                        fmt::format("the signature of the DNS server's answer is wrong ({})",
                                    knot_strerror(rc)),
                        "the answer came from something else, or was changed on its way"};
    }
    return true;
}

}  // namespace

void throw_exception_from_error(const DnsError& failure, const boost::source_location&) {
    throw std::logic_error("unchecked failure: " + failure.text());
}

DnsResult<OutgoingMessage> make_query(std::uint16_t id, const Name& name, Type type,
                                      const TsigKeyPtr& key) {
    Packet packet = new_packet(id, KNOT_OPCODE_QUERY);
    const int rc = knot_pkt_put_question(packet.get(), name.wire(), KNOT_CLASS_IN,
                                         static_cast<std::uint16_t>(type));
    if (rc != KNOT_EOK)
        return own_failure(fmt::format("the query could not be written: {}", knot_strerror(rc)));
    return finish(std::move(packet), id, key);
}

DnsResult<OutgoingMessage> make_update(std::uint16_t id, const Name& zone,
                                       const UpdateContent& content, const TsigKeyPtr& key) {
    Packet packet = new_packet(id, KNOT_OPCODE_UPDATE);
    int rc = knot_pkt_put_question(packet.get(), zone.wire(), KNOT_CLASS_IN, KNOT_RRTYPE_SOA);
    if (rc == KNOT_EOK && key)
        rc = knot_pkt_reserve(packet.get(),
                              static_cast<std::uint16_t>(knot_tsig_wire_size(&key->raw())));
    const auto* message = std::get_if<UpdateMessage>(&content);
    if (rc == KNOT_EOK && message != nullptr)
        rc = put_section(packet.get(), KNOT_ANSWER, message->prerequisites);  // RFC 2136 §2.4
    if (rc == KNOT_EOK && message != nullptr)
        rc = put_section(packet.get(), KNOT_AUTHORITY, message->updates);
    if (rc == KNOT_EOK && message == nullptr)
        rc = put_changes(packet.get(), zone, std::get<std::vector<Change>>(content));
    if (rc == KNOT_EOK && key)
        rc = knot_pkt_reclaim(packet.get(),
                              static_cast<std::uint16_t>(knot_tsig_wire_size(&key->raw())));
    if (rc == KNOT_ESPACE) return too_large();
    if (rc != KNOT_EOK)
        return own_failure(fmt::format("the UPDATE could not be written: {}", knot_strerror(rc)));
    return finish(std::move(packet), id, key);
}

Reply read_answer(const OutgoingMessage& request, std::span<const std::uint8_t> wire,
                  const std::string& server) {
    const auto malformed = [&](const char* what) {
        return DnsError{ErrorKind::malformed, 0, server, what, "is it really a DNS server?"};
    };
    if (wire.size() < KNOT_WIRE_HEADER_SIZE || wire.size() > KNOT_WIRE_MAX_PKTSIZE)
        return malformed("the answer is too short to be a DNS message");
    // Parsing modifies the octets, so it works on a copy.
    std::vector<std::uint8_t> copy(wire.begin(), wire.end());
    const Packet packet(
        knot_pkt_new(copy.data(), static_cast<std::uint16_t>(copy.size()), nullptr));
    if (!packet) throw std::bad_alloc();
    if (knot_wire_get_qr(copy.data()) == 0) return malformed("the answer is a question");
    if (knot_wire_get_id(copy.data()) != request.id)
        return malformed("the answer has another message id");
    if (knot_pkt_parse(packet.get(), 0) != KNOT_EOK && knot_wire_get_tc(copy.data()) == 0) {
        return malformed("the answer is not a valid DNS message");
    }
    if (!is_to_this(request, *packet)) return malformed("the answer is to another question");
    const auto verified = verify(request, *packet, server);
    if (verified.has_error()) return verified.error();
    Answer answer;
    answer.verified = *verified;
    answer.rcode = knot_wire_get_rcode(packet->wire);
    answer.authoritative = knot_wire_get_aa(packet->wire) != 0;
    answer.truncated = knot_wire_get_tc(packet->wire) != 0;
    answer.answers = records(*packet, KNOT_ANSWER);
    answer.authority = records(*packet, KNOT_AUTHORITY);
    return answer;
}

}  // namespace sftdyn::dns
