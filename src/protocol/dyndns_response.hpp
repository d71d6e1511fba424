// SPDX-License-Identifier: GPL-3.0-or-later
// The outcome of an `AddressUpdate`, as its dialect says it. Pure functions. Each answer leads its
// client to the right conclusion: docs/clients.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "protocol/dyndns_request.hpp"

namespace sftdyn::protocol {

/// dyndns2's (https://help.dyn.com/return-codes.html).
enum class ReturnCode : std::uint8_t {
    good,
    nochg,
    nohost,
    not_yours,
    notfqdn,
    abuse,
    dnserr,
    server_error
};
/// As it is sent: "good", "!yours", "911", …
[[nodiscard]] const char* text_of(ReturnCode code);

/// The outcome of one host.
struct HostAnswer {
    ReturnCode code = ReturnCode::nohost;
    std::string host{};       ///< as a person reads it
    std::string addresses{};  ///< with good and nochg
};

/// The response of the dialect.
[[nodiscard]] http::Response answer(const AddressUpdate& update,
                                    const std::vector<HostAnswer>& hosts,
                                    std::string_view uptodate);
/// The credential is wrong, or missing.
[[nodiscard]] http::Response bad_credential(Dialect dialect);
/// The address is not to be published, or can't be.
[[nodiscard]] http::Response refused_address(Dialect dialect);
/// Past the second budget of wrong credentials: the client shall wait, and neither end nor ask for
/// another password.
[[nodiscard]] http::Response too_many_guesses(Dialect dialect);
/// More hosts than one may name.
[[nodiscard]] http::Response too_many_hosts(Dialect dialect);
/// We can't serve it now, or can't understand it.
[[nodiscard]] http::Response server_error(Dialect dialect);
[[nodiscard]] http::Response wrong_method();
[[nodiscard]] http::Response too_many_parameters();
[[nodiscard]] http::Response check_ip(const http::Request& request);

}  // namespace sftdyn::protocol
