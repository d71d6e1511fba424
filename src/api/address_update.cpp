#include "api/address_update.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "api/parameters.hpp"
#include "base/network.hpp"

namespace sftdyn::api {
namespace {

namespace ip = boost::asio::ip;
using Word = HostAnswer::Word;

bool is(std::string_view text, std::string_view other) {
    return text.size() == other.size() && strncasecmp(text.data(), other.data(), other.size()) == 0;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::vector<std::string> split(std::string_view text, char mark) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(mark), text.size());
        if (const auto part = trim(text.substr(0, end)); !part.empty()) out.emplace_back(part);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

/// RFC 4648 §4; nothing when it is none.
std::optional<base::Secret> base64_decoded(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
    out.resize(static_cast<std::size_t>(size) - padding);
    return base::Secret(std::move(out));
}

/// Basic (RFC 7617), or a token as deSEC takes it.
void read_authorization(std::string_view value, AddressUpdate& update) {
    const std::size_t space = value.find(' ');
    if (space == std::string_view::npos) return;
    const auto scheme = value.substr(0, space), rest = trim(value.substr(space + 1));
    if (is(scheme, "Token") || is(scheme, "Bearer")) {
        update.secret = base::Secret(std::string(rest));
        return;
    }
    if (!is(scheme, "Basic")) return;
    const auto pair = base64_decoded(rest);
    if (!pair) return;
    const std::size_t colon = pair->reveal().find(':');
    if (colon == std::string_view::npos) return;
    update.user = std::string(pair->reveal().substr(0, colon));
    update.secret = base::Secret(std::string(pair->reveal().substr(colon + 1)));
}

void read_credential(const Request& request, const Parameters& parameters, AddressUpdate& update) {
    if (!request.authorization.empty()) return read_authorization(request.authorization, update);
    // As the makers of network storage send it.
    const std::string* user = parameters.find_any({"username", "user", "login"});
    const std::string* password = parameters.find_any({"password", "passwd", "pass", "pw"});
    if (user != nullptr && password != nullptr) {
        update.user = *user;
        update.secret = base::Secret(*password);
    }
}

/// An address, maybe with a prefix length behind it, or brackets around it.
std::optional<AddressUpdate::Named> read_address(std::string_view text) {
    text = text.substr(0, text.find('/'));
    std::string_view bare = text;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    boost::system::error_code error;
    const auto address = base::plain_address(ip::make_address(std::string(bare), error));
    if (error || bare.find('%') != std::string_view::npos) return std::nullopt;
    if (address.is_unspecified() || address.is_multicast() || address.is_loopback()) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_link_local()) return std::nullopt;
    return AddressUpdate::Named{address, std::string(text)};
}

void read_addresses(const Parameters& parameters, AddressUpdate& update) {
    for (const char* name : {"myip", "myipv4", "myipv6", "myip6", "ip", "ipv4", "ipv6", "address"}) {
        const std::string* value = parameters.find(name);
        if (value == nullptr) continue;
        for (const std::string& text : split(*value, ',')) {
            if (text == "preserve") continue;  // deSEC: this family is not to be touched, as if it were not named
            auto named = read_address(text);
            if (!named) {
                update.unusable = text;
                continue;
            }
            auto& place = named->address.is_v4() ? update.v4 : update.v6;
            if (!place) place = std::move(*named);
        }
    }
}

std::optional<AddressUpdate::Prefix> read_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    boost::system::error_code error;
    const auto address = ip::make_address_v6(std::string(text.substr(0, slash)), error);
    if (error || address.is_unspecified() || address.is_multicast() || address.is_loopback() || address.is_link_local() || address.is_v4_mapped() ||
        address.scope_id() != 0) {
        return std::nullopt;
    }
    AddressUpdate::Prefix out{address, 64};
    if (slash == std::string_view::npos) return out;
    const auto bits = text.substr(slash + 1);
    const auto [end, code] = std::from_chars(bits.data(), bits.data() + bits.size(), out.length);
    if (code != std::errc() || end != bits.data() + bits.size() || out.length < 8 || out.length > 127) return std::nullopt;
    return out;
}

void read_prefixes(const Parameters& parameters, AddressUpdate& update) {
    const std::string* value = parameters.find_any({"ip6lanprefix", "ipv6prefix", "ip6prefix", "prefix"});
    if (value == nullptr || trim(*value).empty()) return;
    update.prefix = read_prefix(trim(*value));
    if (!update.prefix) update.unusable = *value;
}

bool is_yes(const std::string* value) { return value != nullptr && (is(*value, "yes") || is(*value, "true") || is(*value, "on") || *value == "1"); }

AddressUpdate read_dyndns2(const Request& request, const Parameters& parameters) {
    AddressUpdate out;
    read_credential(request, parameters, out);
    if (const std::string* hosts = parameters.find_any({"hostname", "hostnames", "host", "domain", "domains", "domain_name"}))
        out.hostnames = split(*hosts, ',');
    read_addresses(parameters, out);
    read_prefixes(parameters, out);
    out.offline = is_yes(parameters.find("offline"));
    return out;
}

AddressUpdate read_duckdns(const Parameters& parameters) {
    AddressUpdate out;
    out.dialect = Dialect::duckdns;
    if (const std::string* token = parameters.find("token")) out.secret = base::Secret(*token);
    if (const std::string* hosts = parameters.find_any({"domains", "domain"})) out.hostnames = split(*hosts, ',');
    read_addresses(parameters, out);
    read_prefixes(parameters, out);
    out.offline = is_yes(parameters.find("clear"));
    out.verbose = is_yes(parameters.find("verbose"));
    return out;
}

/// Without parameters: /update/domains/token[/ip].
AddressUpdate read_duckdns_path(const std::vector<std::string_view>& path) {
    AddressUpdate out;
    out.dialect = Dialect::duckdns;
    out.hostnames = split(percent_decoded(path[1]), ',');
    out.secret = base::Secret(percent_decoded(path[2]));
    if (path.size() > 3) {
        const std::string text = percent_decoded(path[3]);
        const auto named = read_address(text);
        if (!named) out.unusable = text;
        if (named) (named->address.is_v4() ? out.v4 : out.v6) = named;
    }
    return out;
}

AddressUpdate read_freedns(std::string_view token, const Parameters& parameters) {
    AddressUpdate out;
    out.dialect = Dialect::freedns;
    out.secret = base::Secret(percent_decoded(token));
    out.all_hosts = true;
    read_addresses(parameters, out);
    read_prefixes(parameters, out);
    return out;
}

bool is_success(const HostAnswer& host) { return host.word == Word::good || host.word == Word::nochg; }
bool is_trouble(const HostAnswer& host) { return host.word == Word::dnserr || host.word == Word::server_error; }

Response answer_dyndns2(const std::vector<HostAnswer>& hosts) {
    Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        out.body += word_text(host.word);
        if (is_success(host) && !host.addresses.empty()) out.body += " " + host.addresses;
    }
    if (hosts.empty()) out.body = "notfqdn";
    // A client that finds one of its hosts done must read it.
    if (!hosts.empty() && std::all_of(hosts.begin(), hosts.end(), is_trouble)) out.status = 500;
    return out;
}

Response answer_duckdns(const AddressUpdate& update, const std::vector<HostAnswer>& hosts) {
    if (hosts.empty() || !std::all_of(hosts.begin(), hosts.end(), is_success)) return {200, "KO"};
    if (!update.verbose) return {200, "OK"};
    const bool changed = std::any_of(hosts.begin(), hosts.end(), [](const HostAnswer& host) { return host.word == Word::good; });
    return {200, fmt::format("OK\n{}\n{}\n{}", update.v4 ? update.v4->text : "", update.v6 ? update.v6->text : "", changed ? "UPDATED" : "NOCHANGE")};
}

Response answer_freedns(const std::vector<HostAnswer>& hosts) {
    Response out;
    for (const HostAnswer& host : hosts) {
        if (!out.body.empty()) out.body += '\n';
        if (host.word == Word::good) {
            out.body += fmt::format("Updated {} to {}", host.host, host.addresses);
        } else if (host.word == Word::nochg) {
            out.body += fmt::format("No IP change detected for {} with IP {}, skipping update", host.host, host.addresses);
        } else {
            out.body += fmt::format("ERROR: {}: {}", host.host, word_text(host.word));
        }
    }
    if (std::any_of(hosts.begin(), hosts.end(), is_trouble)) out.status = 500;
    return out;
}

Response answer_secret_url(const std::vector<HostAnswer>& hosts, std::string_view uptodate) {
    const auto any = [&](Word word) { return std::any_of(hosts.begin(), hosts.end(), [&](const HostAnswer& host) { return host.word == word; }); };
    if (any(Word::dnserr) || any(Word::server_error)) return {500, "FAIL"};
    if (any(Word::abuse)) return {429, "ABUSE", {}, std::chrono::seconds(30)};
    return {200, any(Word::good) ? "OK" : std::string(uptodate)};
}

}  // namespace

const char* word_text(HostAnswer::Word word) {
    switch (word) {
        case Word::good:
            return "good";
        case Word::nochg:
            return "nochg";
        case Word::nohost:
            return "nohost";
        case Word::not_yours:
            return "!yours";
        case Word::notfqdn:
            return "notfqdn";
        case Word::abuse:
            return "abuse";
        case Word::dnserr:
            return "dnserr";
        case Word::server_error:
            break;
    }
    return "911";
}

AddressIntent read_address_update(const Request& request) {
    const auto path = path_segments(request.target);
    const auto at = [&](std::size_t i, std::string_view word) { return path.size() > i && path[i] == word; };
    const bool check = (path.size() == 2 && at(0, "nic") && at(1, "checkip")) || (path.size() == 1 && (at(0, "checkip") || at(0, "checkip.html")));
    const bool update = (path.size() == 2 && (at(0, "nic") || at(0, "v3")) && at(1, "update")) || (path.size() == 1 && at(0, "update"));
    const bool duckdns_path = (path.size() == 3 || path.size() == 4) && at(0, "update");
    const bool freedns = path.size() == 2 && at(0, "u");
    const bool form = request.method == "POST" && request.body.find('=') != std::string_view::npos;
    if (!check && !update && !duckdns_path && !freedns && !path.empty()) return NotOurs{};

    Parameters parameters;
    parameters.add(query_of(request.target));
    if (form) parameters.add(request.body);
    // The root is the update page of deSEC and of many storage makers, if it names a host.
    const bool root = path.empty() && parameters.find_any({"hostname", "host", "domain", "hostnames"}) != nullptr;
    if (path.empty() && !root) return NotOurs{};
    if (request.method != "GET" && request.method != "POST") return WrongMethod{};
    if (check) return CheckIp{};
    if (duckdns_path) return read_duckdns_path(path);
    if (freedns) return read_freedns(path[1], parameters);
    if (parameters.find("token") != nullptr) return read_duckdns(parameters);
    return read_dyndns2(request, parameters);
}

Response answer(const AddressUpdate& update, const std::vector<HostAnswer>& hosts, std::string_view uptodate) {
    switch (update.dialect) {
        case Dialect::secret_url:
            return answer_secret_url(hosts, uptodate);
        case Dialect::duckdns:
            return answer_duckdns(update, hosts);
        case Dialect::freedns:
            return answer_freedns(hosts);
        case Dialect::dyndns2:
            break;
    }
    return answer_dyndns2(hosts);
}

Response bad_credential(Dialect dialect) {
    if (dialect == Dialect::duckdns) return {200, "KO"};
    if (dialect == Dialect::freedns) return {403, "ERROR: Invalid update URL"};
    return {401, "badauth", {}, {}, "Basic realm=\"sftdyn\""};
}

Response too_many_hosts(Dialect dialect) { return {200, dialect == Dialect::duckdns ? "KO" : "numhost"}; }

Response server_error(Dialect dialect) { return {500, dialect == Dialect::duckdns ? "KO" : dialect == Dialect::secret_url ? "FAIL" : "911"}; }

Response wrong_method() { return {405, "METHOD NOT ALLOWED", "GET, POST"}; }

Response check_ip(const Request& request) {
    return {
        200,
        fmt::format("<html><head><title>Current IP Check</title></head><body>Current IP Address: {}</body></html>\r\n", request.client.to_string()),
        {},
        {},
        {},
        "text/html; charset=utf-8"};
}

}  // namespace sftdyn::api
