// The dialects in which a client names hosts and addresses: dyndns2
// (https://help.dyn.com/perform-update.html and return-codes.html), which deSEC, No-IP and most
// routers speak; DuckDNS (https://www.duckdns.org/spec.jsp); and FreeDNS's second API
// (https://freedns.afraid.org/dynamic/v2/). A request becomes an `AddressUpdate`, and what became
// of it a response.
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

struct AddressUpdate {
    Dialect dialect = Dialect::dyndns2;
    std::optional<std::string> user{};  ///< absent: `secret` is a key
    std::optional<base::Secret> secret{};
    std::vector<std::string> hostnames{};
    bool all_hosts = false;  ///< all of the credential's

    struct Named {
        boost::asio::ip::address address{};
        std::string text{};  ///< as it was sent
    };
    std::optional<Named> v4{}, v6{};  ///< absent: not named
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

/// What became of one host.
struct HostAnswer {
    enum class Word : std::uint8_t {
        good,
        nochg,
        nohost,
        not_yours,
        notfqdn,
        abuse,
        dnserr,
        server_error
    } word = Word::nohost;
    std::string host{};       ///< as a person reads it
    std::string addresses{};  ///< with good and nochg
};

/// The dyndns2 word for it.
[[nodiscard]] const char* word_text(HostAnswer::Word word);

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

constexpr std::size_t most_hosts = 20;  ///< of one request
constexpr std::size_t most_addresses =
    20;  ///< that one request may list; the first of each family counts

}  // namespace sftdyn::protocol
