// SPDX-License-Identifier: GPL-3.0-or-later
// Signed answers: none that the key did not sign may be believed, and every TSIG error is told.
#include <cstring>
#include <ctime>

#include "dns/knot.hpp"
#include "dns/message.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto key = std::make_shared<const dns::TsigKey>(
        *dns::TsigKey::make("k.example", "hmac-sha256", base::Secret("c2VjcmV0c2VjcmV0c2VjcmV0")));
    static const auto stranger = std::make_shared<const dns::TsigKey>(
        *dns::TsigKey::make("k.example", "hmac-sha256", base::Secret("b3RoZXJvdGhlcm90aGVy")));
    if (size < 3) return 0;
    dns::OutgoingMessage request;
    request.id = static_cast<std::uint16_t>(data[1] << 8 | data[2]);
    request.mac = std::string(32, 'm');
    request.key = key;

    // As it is: whoever has not the key can't make a signature, so a success must not be believed.
    const std::vector<std::uint8_t> raw(data + 1, data + size);
    const auto forged = dns::read_answer(request, raw, "fuzz");
    if (forged.has_value()) HOLDS(forged->rcode != KNOT_RCODE_NOERROR);
    if (forged.has_error()) HOLDS(!forged.error().text().empty());

    // Signed, by our key or a stranger's, maybe with BADTIME, at a time that may be off.
    if (raw.size() < KNOT_WIRE_HEADER_SIZE || raw.size() > 4096) return 0;
    std::vector<std::uint8_t> wire = raw;
    std::size_t length = wire.size();
    wire.resize(length + 512);
    std::uint8_t mac[64];
    std::size_t mac_size = sizeof mac;
    const bool ours = (data[0] & 1) == 0;
    const auto error =
        static_cast<std::uint16_t>((data[0] & 2) != 0 ? KNOT_RCODE_BADTIME : KNOT_RCODE_NOERROR);
    const auto signed_at =
        static_cast<std::uint64_t>(std::time(nullptr)) + ((data[0] & 4) != 0 ? 5000 : 0);
    if (knot_tsig_sign(wire.data(), &length, wire.size(),
                       reinterpret_cast<const std::uint8_t*>(request.mac.data()),
                       request.mac.size(), mac, &mac_size, &(ours ? key : stranger)->raw(), error,
                       signed_at) != KNOT_EOK) {
        return 0;
    }
    wire.resize(length);
    const auto reply = dns::read_answer(request, wire, "fuzz");
    if (reply.has_value() && (!ours || error != 0))
        HOLDS(reply->rcode != KNOT_RCODE_NOERROR && reply->rcode != KNOT_RCODE_NXDOMAIN);
    return 0;
}
