// SPDX-License-Identifier: GPL-3.0-or-later
// Builds, signs and parses DNS messages with libknot: queries and UPDATEs (RFC 1035 §4, RFC 2136).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/system/result.hpp>

#include "dns/error.hpp"
#include "dns/record.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// A message that is ready to be sent, with the data that verifies its answer.
struct OutgoingMessage {
    std::string wire;  ///< empty when only the MAC is still needed
    std::uint16_t id = 0;
    std::string mac{};  ///< of the request (RFC 8945 §5.3.1); empty when it is not signed
    TsigKeyPtr key{};   ///< null when it is not signed
};

/// The content of an answer. To a signed request, only answers with an error RCODE may be unsigned:
/// see `verified`.
struct Answer {
    std::uint16_t rcode = 0;
    bool verified = false;  ///< the signature is valid; false also when the request was not signed
    bool authoritative = false;
    bool truncated = false;
    std::vector<Record> answers;
    std::vector<Record> authority;
};

[[noreturn]] void throw_exception_from_error(const DnsError& failure,
                                             const boost::source_location&);

template <class T>
using DnsResult = boost::system::result<T, DnsError>;
using Reply = DnsResult<Answer>;

/// Makes a query without recursion. `key` may be null.
[[nodiscard]] DnsResult<OutgoingMessage> make_query(std::uint16_t id, const Name& name, Type type,
                                                    const TsigKeyPtr& key);

/// Makes an UPDATE of `zone` (RFC 2136 §2). Fails when the content is too large for one message.
/// Changes that add a record have prerequisites, so that the record will be visible: no CNAME at
/// the name (a server may ignore the addition and answer NOERROR), and with `replace` no DNAME
/// above it and no delegation between it and the zone's apex.
[[nodiscard]] DnsResult<OutgoingMessage> make_update(std::uint16_t id, const Name& zone,
                                                     const UpdateContent& content,
                                                     const TsigKeyPtr& key);

/// Parses the answer to `request` and verifies its TSIG. RCODEs are not failures here, but TSIG
/// errors are. `server` is used in error messages.
[[nodiscard]] Reply read_answer(const OutgoingMessage& request, std::span<const std::uint8_t> wire,
                                const std::string& server);

}  // namespace sftdyn::dns
