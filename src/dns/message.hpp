// SPDX-License-Identifier: GPL-3.0-or-later
// DNS messages: queries and UPDATEs (RFC 1035 §4, RFC 2136) built, signed and read with libknot.
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

/// A message ready to be sent, with what is needed to check its answer.
struct OutgoingMessage {
    std::string wire;  ///< empty when only its MAC is still needed
    std::uint16_t id = 0;
    std::string mac{};  ///< of the request; empty when it is not signed (RFC 8945 §5.3.1)
    TsigKeyPtr key{};   ///< null when it is not signed
};

/// What an answer says. Only an error code may come unsigned: see `verified`.
struct Answer {
    std::uint16_t rcode = 0;
    bool verified =
        false;  ///< its signature was checked; false also when the request was not signed
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

/// A query without recursion; `key` may be null.
[[nodiscard]] DnsResult<OutgoingMessage> make_query(std::uint16_t id, const Name& name, Type type,
                                                    const TsigKeyPtr& key);

/// An UPDATE of `zone` (RFC 2136 §2). What is too large for one message is a failure. Changes that
/// add a record have the prerequisites that nothing hides it: no CNAME beside it (a server may
/// ignore what is added there, and answer NOERROR), and with `replace` no DNAME above it, and no
/// delegation between it and the zone's own name.
[[nodiscard]] DnsResult<OutgoingMessage> make_update(std::uint16_t id, const Name& zone,
                                                     const UpdateContent& content,
                                                     const TsigKeyPtr& key);

/// Reads the answer to `request` and verifies its TSIG. Error codes of the server's are not
/// failures here, but those of TSIG are. `server` is for messages.
[[nodiscard]] Reply read_answer(const OutgoingMessage& request, std::span<const std::uint8_t> wire,
                                const std::string& server);

}  // namespace sftdyn::dns
