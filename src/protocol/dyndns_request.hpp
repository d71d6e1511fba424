// SPDX-License-Identifier: GPL-3.0-or-later
// The dialects in which a client names hosts and addresses: dyndns2
// (https://help.dyn.com/perform-update.html and return-codes.html), which deSEC, No-IP and most
// routers speak; DuckDNS (https://www.duckdns.org/spec.jsp); and FreeDNS's second API
// (https://freedns.afraid.org/dynamic/v2/). A request is parsed into an `AddressUpdate` here;
// dyndns_response.hpp makes the response from its outcome. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/secret.hpp"
#include "http/message.hpp"

namespace sftdyn::protocol {

enum class Dialect : std::uint8_t { secret_url, dyndns2, duckdns, freedns };

/// A client's request, in any dialect: its credential, the hosts, and their addresses. Not checked
/// against the accounts yet.
struct AddressUpdate {
    Dialect dialect = Dialect::dyndns2;
    std::optional<std::string> user{};  ///< absent: `secret` is a key
    std::optional<base::Secret> secret{};
    std::vector<std::string> hostnames{};
    bool all_hosts = false;  ///< all hosts of the credential

    /// An address that the request names.
    struct Named {
        boost::asio::ip::address address{};
        std::string text{};  ///< as sent
    };
    std::optional<Named> v4{}, v6{};  ///< absent: not named
    /// An IPv6 prefix that the request names.
    struct Prefix {
        boost::asio::ip::address_v6 network{};
        unsigned length = 64;  ///< bits
    };
    std::optional<Prefix> prefix{};  ///< delegated to the client's router
    std::string unusable{};  ///< the start of an address or prefix that is invalid, or one too many
    bool offline = false;    ///< remove the records
    bool verbose = false;    ///< DuckDNS
};

/// The client asks for its own address, as a page.
struct CheckIp {};
/// The request is in none of these dialects.
struct NotOurs {};
/// The request is in one of them, but its method is neither GET nor POST.
struct WrongMethod {};
/// The request is in one of them, but has more parameters than any client needs.
struct TooManyParameters {};

/// Parsing has a bounded cost, whatever was sent, since the client is not authenticated yet.
using AddressIntent = std::variant<NotOurs, WrongMethod, TooManyParameters, CheckIp, AddressUpdate>;
[[nodiscard]] AddressIntent read_address_update(const http::Request& request);

constexpr std::size_t most_hosts = 20;      ///< of one request
constexpr std::size_t most_addresses = 20;  ///< in one request; the first of each family counts

}  // namespace sftdyn::protocol
