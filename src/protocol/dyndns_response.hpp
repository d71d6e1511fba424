// SPDX-License-Identifier: GPL-3.0-or-later
// Makes the response of an `AddressUpdate` in its dialect. Pure functions. Status code and text are
// chosen so that each client draws the right conclusion, whichever it reads: docs/clients.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "protocol/dyndns_request.hpp"

namespace sftdyn::protocol {

/// The return codes of dyndns2 (https://help.dyn.com/return-codes.html), and conditions that map to
/// one of them.
enum class ReturnCode : std::uint8_t {
    good,
    nochg,
    nohost,
    not_yours,
    notfqdn,
    later,  ///< the host's budget is spent, or a queue is full: the client may retry soon
    dnserr,
    server_error
};
/// The code as sent: "good", "!yours", "911", …
[[nodiscard]] const char* text_of(ReturnCode code);

/// The outcome of one host.
struct HostAnswer {
    ReturnCode code = ReturnCode::nohost;
    std::string host{};                  ///< for display
    std::string addresses{};             ///< with good and nochg
    std::chrono::seconds retry_after{};  ///< with later
};

/// Clients that interpret answers differently, by their User-Agent (RFC 9110 §10.1.5).
enum class ClientKind : std::uint8_t {
    any,
    inadyn,   ///< a secret URL's answer must begin with "OK"
    ddclient  ///< reads the return codes of dyndns2 only with status 200
};
[[nodiscard]] ClientKind kind_of_client(std::string_view user_agent);

/// Options of answers.
struct AnswerStyle {
    std::string_view uptodate{};   ///< the secret URL's word for an unchanged record
    bool refusals_in_200 = false;  ///< as the dyndns2 specification says
    ClientKind client = ClientKind::any;

    [[nodiscard]] std::string_view unchanged_word() const {
        return client == ClientKind::inadyn ? "OK" : uptodate;
    }
};

/// The response in the dialect of the update.
[[nodiscard]] http::Response answer(const AddressUpdate& update,
                                    const std::vector<HostAnswer>& hosts, const AnswerStyle& style);
/// The credential is wrong, or missing.
[[nodiscard]] http::Response bad_credential(Dialect dialect);
/// The address must not or can't be published.
[[nodiscard]] http::Response refused_address(Dialect dialect);
/// The second budget of authentication failures is spent: tells the client to wait, and not to exit
/// or ask for another password.
[[nodiscard]] http::Response too_many_guesses(Dialect dialect);
/// The request names too many hosts.
[[nodiscard]] http::Response too_many_hosts(Dialect dialect, const AnswerStyle& style);
/// The request is not understood or can't be carried out; a retry does not help.
[[nodiscard]] http::Response not_understood(Dialect dialect);
/// The request can't be served now.
[[nodiscard]] http::Response server_error(Dialect dialect);
[[nodiscard]] http::Response wrong_method();
[[nodiscard]] http::Response too_many_parameters();
[[nodiscard]] http::Response check_ip(const http::Request& request);
[[nodiscard]] http::Response check_ip_with_credential();

}  // namespace sftdyn::protocol
