// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_response.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dns/name.hpp"

namespace sftdyn::protocol {
namespace {

constexpr std::string_view challenge = "Basic realm=\"sftdyn\", charset=\"UTF-8\"";

/// The answers of a dialect that has one answer for all hosts.
struct AnswerWords {
    std::string_view good, nochg, bad_credential, refused, trouble;
    bool has_challenge = false;  ///< its clients send Basic authorization
};

const AnswerWords& words_of(Dialect dialect) {
    static constexpr AnswerWords secret_url{"OK", "", "BADKEY", "BADHOST", "FAIL"};
    static constexpr AnswerWords dyndns2{"good", "nochg", "badauth", "911", "911", true};
    static constexpr AnswerWords duckdns{"OK", "OK", "KO", "KO", "KO"};
    static constexpr AnswerWords freedns{"", "", "ERROR: Invalid update URL",
                                         "ERROR: not understood", "911"};
    static constexpr AnswerWords dynv6{"addresses updated", "addresses unchanged",
                                       "invalid authentication token", "invalid request",
                                       "server error"};
    static constexpr AnswerWords namecheap{
        "<?xml version=\"1.0\"?><interface-response><ErrCount>0</ErrCount><Done>true</Done>"
        "</interface-response>",
        "<?xml version=\"1.0\"?><interface-response><ErrCount>0</ErrCount><Done>true</Done>"
        "</interface-response>",
        "<?xml version=\"1.0\"?><interface-response><ErrCount>1</ErrCount><errors><Err1>Passwords "
        "do not match</Err1></errors></interface-response>",
        "<?xml version=\"1.0\"?><interface-response><ErrCount>1</ErrCount><errors><Err1>Domain "
        "name not found</Err1></errors></interface-response>",
        "<?xml version=\"1.0\"?><interface-response><ErrCount>1</ErrCount><errors><Err1>Try again "
        "later</Err1></errors></interface-response>"};
    static constexpr AnswerWords regfish{
        "success|100|update succeeded!", "success|101|no update needed",
        "failure|401|passed token is not valid", "failure|402|host not valid",
        "failure|500|try again later"};
    static constexpr AnswerWords ydns{"ok", "ok", "badauth", "nohost", "911", true};
    static constexpr AnswerWords easydns{"NOERROR",       "NOERROR", "NOACCESS",
                                         "ILLEGAL INPUT", "TOOSOON", true};
    switch (dialect) {
        case Dialect::secret_url:
            return secret_url;
        case Dialect::dyndns2:
            break;
        case Dialect::duckdns:
            return duckdns;
        case Dialect::freedns:
            return freedns;
        case Dialect::dynv6:
            return dynv6;
        case Dialect::namecheap:
            return namecheap;
        case Dialect::regfish:
            return regfish;
        case Dialect::ydns:
            return ydns;
        case Dialect::easydns:
            return easydns;
    }
    return dyndns2;
}

http::Response say(Dialect dialect, unsigned status, std::string_view word) {
    http::Response out{status, std::string(word)};
    if (dialect == Dialect::namecheap) out.content_type = "application/xml; charset=utf-8";
    return out;
}

bool is_success(const HostAnswer& host) {
    return host.code == ReturnCode::good || host.code == ReturnCode::nochg;
}
/// Whether the client may retry the same request.
bool is_trouble(const HostAnswer& host) {
    return host.code == ReturnCode::dnserr || host.code == ReturnCode::server_error ||
           host.code == ReturnCode::later;
}

unsigned status_of(ReturnCode code) {
    switch (code) {
        case ReturnCode::good:
        case ReturnCode::nochg:
            return 200;
        case ReturnCode::nohost:
            return 404;
        case ReturnCode::not_yours:
            return 403;
        case ReturnCode::notfqdn:
            return 400;
        case ReturnCode::later:
            return 503;
        case ReturnCode::dnserr:
        case ReturnCode::server_error:
            break;
    }
    return 500;
}

/// The host with the worst code, which determines a single answer; null: there are no hosts.
const HostAnswer* deciding(const std::vector<HostAnswer>& hosts) {
    const HostAnswer* found = nullptr;
    const auto rank = [](const HostAnswer& host) {
        return host.code == ReturnCode::nochg   ? 0
               : host.code == ReturnCode::good  ? 1
               : host.code == ReturnCode::later ? 2
               : is_trouble(host)               ? 3
                                                : 4;
    };
    for (const HostAnswer& host : hosts) {
        const bool is_fuller = found != nullptr && rank(host) == rank(*found) &&
                               found->addresses.empty() && !host.addresses.empty();
        if (found == nullptr || rank(host) > rank(*found) || is_fuller) found = &host;
    }
    return found;
}

std::chrono::seconds wait_of(const std::vector<HostAnswer>& hosts) {
    std::chrono::seconds most{};
    for (const HostAnswer& host : hosts) most = std::max(most, host.retry_after);
    return most;
}

/// The HTTP status. It is an error if no host succeeded, for clients that read only the status.
unsigned status_of(const std::vector<HostAnswer>& hosts, const AnswerStyle& style,
                   bool is_dyndns2) {
    const bool in_200 =
        style.refusals_in_200 || (is_dyndns2 && style.client == ClientKind::ddclient);
    if (std::ranges::any_of(hosts, is_success)) return 200;
    const auto trouble = std::ranges::find_if(hosts, is_trouble);
    if (trouble != hosts.end()) return status_of(trouble->code);
    if (in_200) return 200;
    return hosts.empty() ? 404 : status_of(hosts.front().code);
}

std::string line_of(const HostAnswer& host) {
    std::string line = text_of(host.code);
    if (is_success(host) && !host.addresses.empty()) line += " " + host.addresses;
    return line;
}

http::Response answer_each_host(const std::vector<HostAnswer>& hosts, const AnswerStyle& style) {
    http::Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        out.body += line_of(host);
    }
    out.status = status_of(hosts, style, true);
    return out;
}

/// A name that a client has sent is only repeated if it is one.
std::string repeated_name(const HostAnswer& host) {
    return dns::Name::parse_host(host.host).has_error() ? "the host" : host.host;
}

http::Response answer_freedns(const std::vector<HostAnswer>& hosts, const AnswerStyle& style) {
    http::Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        if (host.code == ReturnCode::good) {
            out.body += fmt::format("Updated {} to {}", host.host, host.addresses);
        } else if (host.code == ReturnCode::nochg) {
            out.body += fmt::format("No IP change detected for {} with IP {}, skipping update",
                                    host.host, host.addresses);
        } else {
            out.body += fmt::format("ERROR: {}: {}", repeated_name(host), text_of(host.code));
        }
    }
    out.status = status_of(hosts, style, false);
    return out;
}

http::Response answer_secret_url(const AddressUpdate& update, const HostAnswer& host,
                                 const AnswerStyle& style) {
    switch (host.code) {
        case ReturnCode::good:
            return {200, "OK"};
        case ReturnCode::nochg:
            return {200, std::string(style.unchanged_word())};
        case ReturnCode::later:
            return {429, "ABUSE"};
        case ReturnCode::not_yours:
            if (update.has_any()) return {403, "BADADDRESS"};
            [[fallthrough]];
        case ReturnCode::nohost:
        case ReturnCode::notfqdn:
            return {404, "BADHOST"};
        case ReturnCode::dnserr:
        case ReturnCode::server_error:
            break;
    }
    return {500, "FAIL"};
}

/// The verbose answer of DuckDNS, with published addresses only.
std::string verbose_duckdns(const AddressUpdate& update, const HostAnswer& host) {
    const auto told = [&](const std::optional<Addresses::Named>& named) {
        const bool is_published = named && host.addresses.find(named->text) != std::string::npos;
        return is_published ? named->text : std::string();
    };
    return fmt::format("OK\n{}\n{}\n{}", told(update.v4), told(update.v6),
                       host.code == ReturnCode::good ? "UPDATED" : "NOCHANGE");
}

/// The single answer for all hosts. Success means that all hosts were served.
http::Response answer_all_hosts(const AddressUpdate& update, const HostAnswer& host,
                                const AnswerStyle& style) {
    if (update.dialect == Dialect::secret_url) return answer_secret_url(update, host, style);
    const bool is_dyndns2 = update.dialect == Dialect::dyndns2;
    const unsigned status = status_of({host}, style, is_dyndns2);
    if (is_dyndns2) return {status, line_of(host)};
    const AnswerWords& words = words_of(update.dialect);
    if (update.dialect == Dialect::duckdns && update.verbose && is_success(host))
        return {200, verbose_duckdns(update, host)};
    return say(update.dialect, status,
               host.code == ReturnCode::good    ? words.good
               : host.code == ReturnCode::nochg ? words.nochg
               : is_trouble(host)               ? words.trouble
                                                : words.refused);
}

}  // namespace

const char* text_of(ReturnCode code) {
    switch (code) {
        case ReturnCode::good:
            return "good";
        case ReturnCode::nochg:
            return "nochg";
        case ReturnCode::nohost:
            return "nohost";
        case ReturnCode::not_yours:
            return "!yours";
        case ReturnCode::notfqdn:
            return "notfqdn";
        case ReturnCode::dnserr:
            return "dnserr";
        // Not "abuse", which means that the user must contact us.
        case ReturnCode::later:
        case ReturnCode::server_error:
            break;
    }
    return "911";
}

ClientKind kind_of_client(std::string_view user_agent) {
    if (user_agent.starts_with("inadyn/")) return ClientKind::inadyn;
    return user_agent.starts_with("ddclient/") ? ClientKind::ddclient : ClientKind::any;
}

http::Response answer(const AddressUpdate& update, const std::vector<HostAnswer>& hosts,
                      const AnswerStyle& style) {
    http::Response out;
    if (update.has_one_answer()) {
        const HostAnswer none{ReturnCode::notfqdn, {}, {}, {}};
        const HostAnswer* host = deciding(hosts);
        out = answer_all_hosts(update, host != nullptr ? *host : none, style);
    } else {
        out = update.dialect == Dialect::freedns ? answer_freedns(hosts, style)
                                                 : answer_each_host(hosts, style);
    }
    if (out.status >= 400) out.retry_after = wait_of(hosts);
    return out;
}

http::Response bad_credential(Dialect dialect) {
    const AnswerWords& words = words_of(dialect);
    auto out = say(dialect, words.has_challenge ? 401 : 403, words.bad_credential);
    if (words.has_challenge) out.authenticate = challenge;
    return out;
}

http::Response refused_address(Dialect dialect) {
    if (dialect == Dialect::secret_url) return {403, "BADADDRESS"};
    return server_error(dialect);  // a code of dyndns2 would make inadyn and ddclient exit
}

http::Response too_many_guesses(Dialect dialect) {
    if (dialect == Dialect::secret_url || dialect == Dialect::freedns) {
        http::Response out = bad_credential(dialect);
        out.status = 429;
        return out;
    }
    // inadyn does not know 429 and would exit; after 503 it waits, as ddclient does.
    return say(dialect, 503, words_of(dialect).trouble);
}

http::Response too_many_hosts(Dialect dialect, const AnswerStyle& style) {
    const bool is_dyndns2 = dialect == Dialect::dyndns2;
    const unsigned status = status_of({{ReturnCode::notfqdn, {}, {}, {}}}, style, is_dyndns2);
    return say(dialect, status, is_dyndns2 ? "numhost" : words_of(dialect).refused);
}

http::Response not_understood(Dialect dialect) {
    return say(dialect, 400, words_of(dialect).refused);
}

http::Response server_error(Dialect dialect) {
    return say(dialect, 500, words_of(dialect).trouble);
}

http::Response too_many_parameters() { return {400, "BAD REQUEST"}; }

http::Response wrong_method() { return {405, "METHOD NOT ALLOWED", "GET, POST, PUT"}; }

http::Response check_ip(const http::Request& request) {
    return {200,
            fmt::format("<html><head><title>Current IP Check</title></head><body>Current IP "
                        "Address: {}</body></html>\r\n",
                        request.client.to_string()),
            {},
            {},
            {},
            "text/html; charset=utf-8"};
}

http::Response check_ip_with_credential() { return {400, "badsys"}; }

}  // namespace sftdyn::protocol
