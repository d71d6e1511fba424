// SPDX-License-Identifier: GPL-3.0-or-later
// Unsigned answers of a DNS server.
#include "dns/message.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    dns::OutgoingMessage request;
    if (size >= 2) request.id = static_cast<std::uint16_t>(data[0] << 8 | data[1]);
    const auto reply = dns::read_answer(request, {data, size}, "fuzz");
    if (reply.has_error()) {
        HOLDS(!reply.error().text().empty());
        return 0;
    }
    for (const auto* section : {&reply->answers, &reply->authority}) {
        for (const auto& record : *section) {
            HOLDS(!record.owner.text().empty());
            HOLDS(!dns::rdata_text(record.type, record.rdata).empty());
        }
    }
    return 0;
}
