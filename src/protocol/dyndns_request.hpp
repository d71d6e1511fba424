// SPDX-License-Identifier: GPL-3.0-or-later
// The dialects in which a client names hosts and addresses: dyndns2
// (https://help.dyn.com/perform-update.html and return-codes.html), which deSEC, No-IP and most
// routers speak; DuckDNS (https://www.duckdns.org/spec.jsp); and FreeDNS's second API
// (https://freedns.afraid.org/dynamic/v2/). Here a request becomes an `AddressUpdate`;
// dyndns_response.hpp makes the response of its outcome. Pure functions.
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

/// What a client asks for, in whichever dialect: its credential, the hosts, and their addresses.
/// Nothing of it has been checked against the accounts.
struct AddressUpdate {
    Dialect dialect = Dialect::dyndns2;
    std::optional<std::string> user{};  ///< absent: `secret` is a key
    std::optional<base::Secret> secret{};
    std::vector<std::string> hostnames{};
    bool all_hosts = false;  ///< all of the credential's

    /// An address that the request names.
    struct Named {
        boost::asio::ip::address address{};
        std::string text{};  ///< as it was sent
    };
    std::optional<Named> v4{}, v6{};  ///< absent: not named
    /// An IPv6 prefix that the request names.
    struct Prefix {
        boost::asio::ip::address_v6 network{};
        unsigned length = 64;  ///< bits
    };
    std::optional<Prefix> prefix{};  ///< that the client's router was delegated
    std::string unusable{};  ///< what was meant as an address or prefix, and is none, or is one too
                             ///< many; its start
    bool offline = false;    ///< take the records away
    bool verbose = false;    ///< DuckDNS
};

/// The client asks for its own address, as a page.
struct CheckIp {};
/// None of these dialects.
struct NotOurs {};
/// One of theirs, but by another method than GET or POST.
struct WrongMethod {};
/// One of theirs, with more parameters than anybody needs.
struct TooManyParameters {};

/// What reading one may cost has a bound, whatever was sent: nobody has shown a credential yet.
using AddressIntent = std::variant<NotOurs, WrongMethod, TooManyParameters, CheckIp, AddressUpdate>;
[[nodiscard]] AddressIntent read_address_update(const http::Request& request);

constexpr std::size_t most_hosts = 20;  ///< of one request
constexpr std::size_t most_addresses =
    20;  ///< that one request may list; the first of each family counts

}  // namespace sftdyn::protocol
