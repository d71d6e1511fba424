// SPDX-License-Identifier: GPL-3.0-or-later
// The outcome of an `AddressUpdate`, as its dialect says it. Pure functions. Status and words lead
// each client to the right conclusion, whichever of them it reads: docs/clients.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "protocol/dyndns_request.hpp"

namespace sftdyn::protocol {

/// dyndns2's (https://help.dyn.com/return-codes.html), and what leads to one of them.
enum class ReturnCode : std::uint8_t {
    good,
    nochg,
    nohost,
    not_yours,
    notfqdn,
    later,  ///< the host has spent its budget, or too many wait: it may be tried again soon
    dnserr,
    server_error
};
/// As it is sent: "good", "!yours", "911", …
[[nodiscard]] const char* text_of(ReturnCode code);

/// The outcome of one host.
struct HostAnswer {
    ReturnCode code = ReturnCode::nohost;
    std::string host{};                  ///< as a person reads it
    std::string addresses{};             ///< with good and nochg
    std::chrono::seconds retry_after{};  ///< with later
};

/// Clients that read answers in a way of their own, by their User-Agent (RFC 9110 §10.1.5).
enum class ClientKind : std::uint8_t {
    any,
    inadyn,   ///< a secret URL's answer must begin with "OK"
    ddclient  ///< it reads the words of dyndns2 only in a 200
};
[[nodiscard]] ClientKind kind_of_client(std::string_view user_agent);

/// How answers are written.
struct AnswerStyle {
    std::string_view uptodate{};   ///< the secret URL's word for a record that is as it was
    bool refusals_in_200 = false;  ///< as the letter of dyndns2 has it
    ClientKind client = ClientKind::any;

    [[nodiscard]] std::string_view unchanged_word() const {
        return client == ClientKind::inadyn ? "OK" : uptodate;
    }
};

/// The response of the dialect.
[[nodiscard]] http::Response answer(const AddressUpdate& update,
                                    const std::vector<HostAnswer>& hosts, const AnswerStyle& style);
/// The credential is wrong, or missing.
[[nodiscard]] http::Response bad_credential(Dialect dialect);
/// The address is not to be published, or can't be.
[[nodiscard]] http::Response refused_address(Dialect dialect);
/// Past the second budget of wrong credentials: the client shall wait, and neither end nor ask for
/// another password.
[[nodiscard]] http::Response too_many_guesses(Dialect dialect);
/// More hosts than one may name.
[[nodiscard]] http::Response too_many_hosts(Dialect dialect, const AnswerStyle& style);
/// It asks for what is not understood, or can't be done: it never will be.
[[nodiscard]] http::Response not_understood(Dialect dialect);
/// We can't serve it now.
[[nodiscard]] http::Response server_error(Dialect dialect);
[[nodiscard]] http::Response wrong_method();
[[nodiscard]] http::Response too_many_parameters();
[[nodiscard]] http::Response check_ip(const http::Request& request);
[[nodiscard]] http::Response check_ip_with_credential();

}  // namespace sftdyn::protocol
