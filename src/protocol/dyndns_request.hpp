// SPDX-License-Identifier: GPL-3.0-or-later
// A request in one of the dialects of dialects.hpp becomes an `AddressUpdate`;
// dyndns_response.hpp makes the response of its outcome. Pure functions. Nothing that was sent is
// dropped: what is not understood is a fault, unless docs/clients.md lists it as ignored.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/secret.hpp"
#include "http/message.hpp"
#include "protocol/credential.hpp"
#include "protocol/dialects.hpp"
#include "protocol/named_addresses.hpp"

namespace sftdyn::protocol {

/// What a client asks for, in whichever dialect: its credential, the hosts, and their addresses.
/// Nothing of it has been checked against the accounts.
struct AddressUpdate : Addresses, Credential {
    Dialect dialect = Dialect::dyndns2;
    std::vector<std::string> hostnames{};  ///< empty: those that the credential is for
    bool all_hosts = false;                ///< all of the credential's
    /// deSEC: addresses that are for one host alone, by its name.
    std::vector<std::pair<std::string, Addresses>> of_hosts{};
    /// Why it can't be done as it was sent, for the log; empty: nothing is wrong with it. Nothing
    /// that the client sent stands in it but a parameter's name.
    std::string fault{};
    bool offline = false;  ///< take the records away
    bool verbose = false;  ///< DuckDNS

    /// One answer is for all hosts: it says success only if all are served.
    [[nodiscard]] bool has_one_answer() const {
        return dialect != Dialect::freedns &&
               (dialect != Dialect::dyndns2 || all_hosts || hostnames.empty());
    }
};

/// The client asks for its own address, as a page.
struct CheckIp {};
/// The same with a credential: who has one wants an update, and must not take that page for one.
struct CheckIpWithCredential {};
/// None of these dialects.
struct NotOurs {};
/// One of theirs, but by another method than GET, POST or PUT.
struct WrongMethod {};
/// One of theirs, with more parameters than anybody needs.
struct TooManyParameters {};

/// What reading one may cost has a bound, whatever was sent: nobody has shown a credential yet.
using AddressIntent = std::variant<NotOurs, WrongMethod, TooManyParameters, CheckIp,
                                   CheckIpWithCredential, AddressUpdate>;
[[nodiscard]] AddressIntent read_address_update(const http::Request& request);

/// What stands behind the key in a secret URL: a query, an address or a host. `source` is where the
/// request comes from.
[[nodiscard]] AddressUpdate read_behind_key(std::string_view text,
                                            const boost::asio::ip::address& source);

constexpr std::size_t most_hosts = 20;      ///< of one request
constexpr std::size_t most_addresses = 20;  ///< that one request may list

}  // namespace sftdyn::protocol
