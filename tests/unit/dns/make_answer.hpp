// SPDX-License-Identifier: GPL-3.0-or-later
// Answers as a DNS server would write them, and as it should not.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "dns/knot.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

/// What differs from a signed, authoritative NOERROR without records.
struct AnswerParts {
    std::uint8_t rcode = 0;
    bool authoritative = true;
    bool truncated = false;
    bool is_question = false;  ///< QR is not set
    std::string question{};    ///< in wire form, instead of the one that was asked
    std::vector<Record> answers{};
    long signed_seconds_ago = 0;
    std::uint16_t tsig_error = 0;  ///< with one the answer is not signed (RFC 8945 §5.3.2)
};

inline void append_u16(std::string& out, std::size_t value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xff);
}

/// A question section (RFC 1035 §4.1.2).
inline std::string question_of(const Name& name, Type type) {
    std::string out = name.bytes();
    append_u16(out, static_cast<std::uint16_t>(type));
    append_u16(out, KNOT_CLASS_IN);
    return out;
}

/// The MAC of a request that is signed; else empty.
inline std::string mac_of(std::string request) {
    auto* wire = reinterpret_cast<std::uint8_t*>(request.data());
    knot_pkt_t* packet = knot_pkt_new(wire, static_cast<std::uint16_t>(request.size()), nullptr);
    std::string mac;
    if (knot_pkt_parse(packet, 0) == KNOT_EOK && packet->tsig_rr != nullptr)
        mac.assign(reinterpret_cast<const char*>(knot_tsig_rdata_mac(packet->tsig_rr)),
                   knot_tsig_rdata_mac_length(packet->tsig_rr));
    knot_pkt_free(packet);
    return mac;
}

/// Appends a TSIG record (RFC 8945 §4.2), signed at that time.
inline void sign(std::string& wire, const std::string& request_mac, const TsigKey& key,
                 std::time_t at, std::uint16_t error) {
    const std::string name(reinterpret_cast<const char*>(key.raw().name),
                           knot_dname_size(key.raw().name));
    const auto* algorithm_name = dnssec_tsig_algorithm_to_dname(key.raw().algorithm);
    const std::string algorithm(reinterpret_cast<const char*>(algorithm_name),
                                knot_dname_size(algorithm_name));
    std::string times;  // of signing, and the fudge
    append_u16(times, 0);
    append_u16(times, static_cast<std::uint32_t>(at) >> 16);
    append_u16(times, static_cast<std::uint32_t>(at) & 0xffff);
    append_u16(times, 300);

    std::string text;  // RFC 8945 §4.3
    append_u16(text, request_mac.size());
    text += request_mac + wire + name;
    append_u16(text, KNOT_CLASS_ANY);
    text += std::string(4, '\0') + algorithm + times + std::string(4, '\0');
    dnssec_tsig_ctx_t* context = nullptr;
    dnssec_tsig_new(&context, key.raw().algorithm, &key.raw().secret);
    const dnssec_binary_t data{text.size(), reinterpret_cast<std::uint8_t*>(text.data())};
    dnssec_tsig_add(context, &data);
    std::string mac(dnssec_tsig_size(context), '\0');
    dnssec_tsig_write(context, reinterpret_cast<std::uint8_t*>(mac.data()));
    dnssec_tsig_free(context);

    std::string rdata = algorithm + times;
    if (error != 0) mac.clear();
    append_u16(rdata, mac.size());
    rdata += mac + wire.substr(0, 2);
    append_u16(rdata, error);
    append_u16(rdata, 0);
    ++wire[11];  // ARCOUNT
    wire += name;
    append_u16(wire, KNOT_RRTYPE_TSIG);
    append_u16(wire, KNOT_CLASS_ANY);
    wire += std::string(4, '\0');
    append_u16(wire, rdata.size());
    wire += rdata;
}

/// The answer to a request; unsigned without `signer`.
inline std::string make_answer(const std::string& request, const TsigKeyPtr& signer,
                               const AnswerParts& parts = {}) {
    std::string wire = request.substr(0, 12);
    auto* header = reinterpret_cast<std::uint8_t*>(wire.data());
    if (!parts.is_question) knot_wire_set_qr(header);
    if (parts.authoritative) knot_wire_set_aa(header);
    if (parts.truncated) knot_wire_set_tc(header);
    knot_wire_set_rcode(header, parts.rcode);
    knot_wire_set_qdcount(header, 1);
    knot_wire_set_ancount(header, static_cast<std::uint16_t>(parts.answers.size()));
    knot_wire_set_nscount(header, 0);
    knot_wire_set_arcount(header, 0);
    const std::size_t name_size =
        knot_dname_size(reinterpret_cast<const std::uint8_t*>(request.data()) + 12);
    wire += parts.question.empty() ? request.substr(12, name_size + 4) : parts.question;
    for (const Record& record : parts.answers) {
        wire += question_of(record.owner, record.type);
        append_u16(wire, record.ttl >> 16);
        append_u16(wire, record.ttl & 0xffff);
        append_u16(wire, record.rdata.size());
        wire += record.rdata;
    }
    if (signer)
        sign(wire, mac_of(request), *signer, std::time(nullptr) - parts.signed_seconds_ago,
             parts.tsig_error);
    return wire;
}

}  // namespace sftdyn::dns
