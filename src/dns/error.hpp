// SPDX-License-Identifier: GPL-3.0-or-later
// What can go wrong between sftdyn and a DNS server, told apart, each with its likely cause.
#pragma once

#include <cstdint>
#include <string>

namespace sftdyn::dns {

/// What went wrong with a query or an UPDATE.
enum class ErrorKind : std::uint8_t {
    key_file,          ///< the TSIG key can't be read
    unreachable,       ///< nothing listens there, or no route
    timeout,           ///< no answer in time
    connection,        ///< the server ended the connection
    malformed,         ///< the answer is no DNS message, or not one to our question
    unsigned_answer,   ///< the answer lacks the TSIG that it must have (RFC 8945 §5.4)
    forged_answer,     ///< the answer's TSIG does not fit (RFC 8945 §5.3)
    bad_signature,     ///< the server: BADSIG (RFC 8945 §5.2.2)
    bad_key,           ///< the server: BADKEY (RFC 8945 §5.2.1)
    bad_time,          ///< the server: BADTIME (RFC 8945 §5.2.3)
    rcode,             ///< the server answered with another error code
    no_zone,           ///< the server serves no zone that holds the name
    cname_conflict,    ///< a CNAME stands where the address should
    not_seen,          ///< the server confirmed a change, and serves something else
    deadline_exceeded  ///< the program's own limit: the deadline passed while waiting for its
                       ///< turn
};

/// A value; the error of `dns::DnsResult`. It holds no secret.
struct DnsError {
    ErrorKind kind{};
    std::uint16_t rcode = 0;  ///< RFC 1035 §4.1.1, RFC 2136 §2.2; with ErrorKind::rcode
    std::string server{};     ///< address and port, or the file's path
    std::string detail{};     ///< what was seen, one phrase
    std::string cause{};      ///< the likely cause and the remedy, one phrase

    /// True when the server has surely not made the change because of the change itself: another
    /// change of the same message may well be fine.
    [[nodiscard]] bool is_refusal() const { return kind == ErrorKind::rcode; }

    /// One line for the log.
    [[nodiscard]] std::string text() const;
    /// Which errors count as the same when a flood is summarised.
    [[nodiscard]] std::string key() const;
};

/// "REFUSED", "SERVFAIL", …; "RCODE3841" for what has no name.
[[nodiscard]] std::string rcode_text(std::uint16_t rcode);

/// The failure for the error code that an UPDATE was answered with, with the likely cause.
[[nodiscard]] DnsError rcode_failure(std::uint16_t rcode, std::string server, std::string what);

/// The same for a query.
[[nodiscard]] DnsError query_failure(std::uint16_t rcode, std::string server, std::string what);

}  // namespace sftdyn::dns
