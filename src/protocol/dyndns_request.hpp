// SPDX-License-Identifier: GPL-3.0-or-later
// Parses requests in the dialects of dialects.hpp into `AddressUpdate`; dyndns_response.hpp makes
// the responses. Pure functions. Input that is not understood is a fault, unless docs/clients.md
// lists it as ignored.
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

/// Why a request can't be carried out as sent. Parsing a request of a client that is not yet
/// authenticated must be cheap, so the text is made later.
struct RequestFault {
    std::string_view what{};  ///< has static storage; empty: no fault
    /// The name of a parameter that is not understood. Empty: there is none, or the name is
    /// unusual and may be part of a password.
    std::string parameter{};

    [[nodiscard]] bool empty() const { return what.empty(); }
};
/// The fault for the log. Quotes nothing of the request except the parameter's name, and that only
/// if it is no part of the credential's secret.
[[nodiscard]] std::string text_of(const RequestFault& fault, const Credential& credential);

/// An update request in any dialect: credential, hosts and addresses. Not yet checked against the
/// accounts.
struct AddressUpdate : Addresses, Credential {
    Dialect dialect = Dialect::dyndns2;
    std::vector<std::string> hostnames{};  ///< empty: the credential's hosts
    bool all_hosts = false;                ///< all hosts of the credential
    /// deSEC: addresses for single hosts, by host name in lower case and without a final dot.
    std::vector<std::pair<std::string, Addresses>> of_hosts{};
    RequestFault fault{};
    bool offline = false;  ///< remove the records
    bool verbose = false;  ///< DuckDNS: a longer answer

    /// Whether one answer is for all hosts. It is a success only if all hosts are served.
    [[nodiscard]] bool has_one_answer() const {
        return dialect != Dialect::freedns &&
               (dialect != Dialect::dyndns2 || all_hosts || hostnames.empty());
    }
};

/// The client requests a page with its own address.
struct CheckIp {};
/// The same with a credential: such a client wants an update, and must not take the page for a
/// success.
struct CheckIpWithCredential {};
/// The request is in none of these dialects.
struct NotOurs {};
/// A request in a dialect, but with a method other than GET, POST or PUT.
struct WrongMethod {};
/// A request in a dialect, with too many parameters.
struct TooManyParameters {};

/// Parses a request. The cost is bounded, because the client is not yet authenticated.
using AddressIntent = std::variant<NotOurs, WrongMethod, TooManyParameters, CheckIp,
                                   CheckIpWithCredential, AddressUpdate>;
[[nodiscard]] AddressIntent read_address_update(const http::Request& request);

/// Parses the text after the key of a secret URL: a query, an address or a host. `source` is the
/// client's address.
[[nodiscard]] AddressUpdate read_behind_key(std::string_view text,
                                            const boost::asio::ip::address& source);

constexpr std::size_t most_hosts = 20;      ///< maximum in one request
constexpr std::size_t most_addresses = 20;  ///< maximum in one list of a request

}  // namespace sftdyn::protocol
