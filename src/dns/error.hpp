// SPDX-License-Identifier: GPL-3.0-or-later
// The errors between sftdyn and a DNS server, each with its likely cause.
#pragma once

#include <cstdint>
#include <string>

namespace sftdyn::dns {

/// The kind of failure of a query or an UPDATE.
enum class ErrorKind : std::uint8_t {
    key_file,          ///< the TSIG key can't be read
    unreachable,       ///< the port is closed, or there is no route
    timeout,           ///< no answer in time
    connection,        ///< the server closed the connection
    malformed,         ///< the answer is not a DNS message, or does not answer our query
    unsigned_answer,   ///< the answer lacks the TSIG that it must have (RFC 8945 §5.4)
    forged_answer,     ///< the answer's TSIG does not verify (RFC 8945 §5.3)
    bad_signature,     ///< the server answered BADSIG (RFC 8945 §5.2.2)
    bad_key,           ///< the server answered BADKEY (RFC 8945 §5.2.1)
    bad_time,          ///< the server answered BADTIME (RFC 8945 §5.2.3)
    rcode,             ///< the server answered with another RCODE
    no_zone,           ///< the server has no zone that contains the name
    cname_conflict,    ///< there is a CNAME at the name
    not_seen,          ///< the server confirmed a change, but serves something else
    deadline_exceeded  ///< the deadline passed while the message waited to be sent
};

/// The error of `dns::DnsResult`. A value without secrets.
struct DnsError {
    ErrorKind kind{};
    std::uint16_t rcode = 0;  ///< with ErrorKind::rcode (RFC 1035 §4.1.1, RFC 2136 §2.2)
    std::string server{};     ///< address and port, or the file's path
    std::string detail{};     ///< what was observed, one phrase
    std::string cause{};      ///< the likely cause and the remedy, one phrase

    /// True when the server has refused the change itself. Another change of the same message may
    /// still be accepted.
    [[nodiscard]] bool is_refusal() const { return kind == ErrorKind::rcode; }

    /// One line for the log.
    [[nodiscard]] std::string text() const;
    /// Errors with the same key count as one kind for `base::LogThrottle`.
    [[nodiscard]] std::string key() const;
};

/// "REFUSED", "SERVFAIL", …; "RCODE3841" for an unknown code.
[[nodiscard]] std::string rcode_text(std::uint16_t rcode);

/// The failure for the RCODE of the answer to an UPDATE, with its likely cause.
[[nodiscard]] DnsError rcode_failure(std::uint16_t rcode, std::string server, std::string what);

/// The same for a query.
[[nodiscard]] DnsError query_failure(std::uint16_t rcode, std::string server, std::string what);

}  // namespace sftdyn::dns
