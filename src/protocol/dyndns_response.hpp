// SPDX-License-Identifier: GPL-3.0-or-later
// Makes the response to an `AddressUpdate` in its dialect. Pure functions. Each response makes its
// client do the right thing: see docs/clients.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "protocol/dyndns_request.hpp"

namespace sftdyn::protocol {

/// The return codes of dyndns2 (https://help.dyn.com/return-codes.html).
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
/// The code as sent: "good", "!yours", "911", …
[[nodiscard]] const char* text_of(ReturnCode code);

/// The outcome of one host.
struct HostAnswer {
    ReturnCode code = ReturnCode::nohost;
    std::string host{};       ///< as text
    std::string addresses{};  ///< with good and nochg
};

/// The response in the dialect of the update.
[[nodiscard]] http::Response answer(const AddressUpdate& update,
                                    const std::vector<HostAnswer>& hosts,
                                    std::string_view uptodate);
/// The credential is wrong, or missing.
[[nodiscard]] http::Response bad_credential(Dialect dialect);
/// The address must not be published.
[[nodiscard]] http::Response refused_address(Dialect dialect);
/// Beyond the second budget of wrong credentials: the client should wait, and should neither exit
/// nor ask its user for another password.
[[nodiscard]] http::Response too_many_guesses(Dialect dialect);
/// The request names too many hosts.
[[nodiscard]] http::Response too_many_hosts(Dialect dialect);
/// The request can't be served now, or can't be understood.
[[nodiscard]] http::Response server_error(Dialect dialect);
[[nodiscard]] http::Response wrong_method();
[[nodiscard]] http::Response too_many_parameters();
[[nodiscard]] http::Response check_ip(const http::Request& request);

}  // namespace sftdyn::protocol
