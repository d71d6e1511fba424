// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_request.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/network.hpp"
#include "base/number.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {
namespace {

namespace ip = boost::asio::ip;

bool is(std::string_view text, std::string_view other) { return base::ascii_iequals(text, other); }

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

/// Splits at commas into at most `most` parts, plus one if there are more. Empty parts are left
/// out.
std::vector<std::string_view> split(std::string_view text, std::size_t most) {
    std::vector<std::string_view> out;
    while (!text.empty() && out.size() <= most) {
        const std::size_t end = std::min(text.find(','), text.size());
        if (const auto part = trim(text.substr(0, end)); !part.empty()) out.push_back(part);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::vector<std::string> split_hosts(std::string_view text) {
    const auto parts = split(text, most_hosts);
    return {parts.begin(), parts.end()};
}

/// Reads Basic (RFC 7617), or a token in deSEC's form.
void read_authorization(std::string_view value, AddressUpdate& update) {
    const std::size_t space = value.find(' ');
    if (space == std::string_view::npos) return;
    const auto scheme = value.substr(0, space), rest = trim(value.substr(space + 1));
    if (is(scheme, "Token") || is(scheme, "Bearer")) {
        update.secret = base::Secret(std::string(rest));
        return;
    }
    if (!is(scheme, "Basic")) return;
    const auto pair = base::base64_decoded(rest);
    if (!pair) return;
    const std::size_t colon = pair->reveal().find(':');
    if (colon == std::string_view::npos) return;
    update.user = std::string(pair->reveal().substr(0, colon));
    update.secret = base::Secret(std::string(pair->reveal().substr(colon + 1)));
}

void read_credential(const http::Request& request, const Parameters& parameters,
                     AddressUpdate& update) {
    if (!request.authorization.empty()) return read_authorization(request.authorization, update);
    // The form that network storage devices send.
    const std::string* user = parameters.find_any({"username", "user", "login"});
    const std::string* password = parameters.find_any({"password", "passwd", "pass", "pw"});
    if (user != nullptr && password != nullptr) {
        update.user = *user;
        update.secret = base::Secret(*password);
    }
}

/// The part of a text that is logged.
std::string start_of(std::string_view text) { return std::string(text.substr(0, 80)); }

/// Parses an address, optionally in brackets or with a prefix length.
std::optional<AddressUpdate::Named> read_address(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto length = text.substr(slash + 1);
        if (length.empty() || length.size() > 3 ||
            length.find_first_not_of("0123456789") != std::string_view::npos)
            return std::nullopt;
        text = text.substr(0, slash);
    }
    std::string_view bare = text;
    if (bare.starts_with('[') && bare.ends_with(']') && bare.size() > 2)
        bare = bare.substr(1, bare.size() - 2);
    const auto address = base::parse_address(bare);
    if (!address) return std::nullopt;
    AddressUpdate::Named named{base::plain_address(*address), std::string(text)};
    if (base::AddressRules{}.rule(named.address, true) != base::AddressRules::Ruling::may_be)
        return std::nullopt;
    return named;
}

void read_addresses(const Parameters& parameters, AddressUpdate& update) {
    std::size_t listed = 0;
    for (const char* name :
         {"myip", "myipv4", "myipv6", "myip6", "ip", "ipv4", "ipv6", "address"}) {
        const std::string* value = parameters.find(name);
        if (value == nullptr) continue;
        for (const std::string_view text : split(*value, most_addresses)) {
            if (++listed > most_addresses) {
                update.unusable = start_of(text);
                return;
            }
            if (text == "preserve")
                continue;  // deSEC: the family stays unchanged, as if it were not named
            auto named = read_address(text);
            if (!named) {
                update.unusable = start_of(text);
                continue;
            }
            auto& place = named->address.is_v4() ? update.v4 : update.v6;
            if (!place) place = std::move(*named);
        }
    }
}

std::optional<AddressUpdate::Prefix> read_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = base::parse_address(text.substr(0, slash));
    if (!address || !address->is_v6() ||
        base::AddressRules{}.rule(*address, true) != base::AddressRules::Ruling::may_be)
        return std::nullopt;
    if (address->to_v6().is_v4_mapped()) return std::nullopt;
    AddressUpdate::Prefix out{address->to_v6(), 64};
    if (slash == std::string_view::npos) return out;
    const auto bits = text.substr(slash + 1);
    const auto length = base::parse_number<decltype(out.length)>(bits);
    if (!length || *length < 8 || *length > 127) return std::nullopt;
    out.length = *length;
    return out;
}

void read_prefixes(const Parameters& parameters, AddressUpdate& update) {
    const std::string* value =
        parameters.find_any({"ip6lanprefix", "ipv6prefix", "ip6prefix", "prefix"});
    if (value == nullptr || trim(*value).empty()) return;
    update.prefix = read_prefix(trim(*value));
    if (!update.prefix) update.unusable = start_of(*value);
}

bool is_yes(const std::string* value) {
    return value != nullptr &&
           (is(*value, "yes") || is(*value, "true") || is(*value, "on") || *value == "1");
}

AddressUpdate read_dyndns2(const http::Request& request, const Parameters& parameters) {
    AddressUpdate out;
    read_credential(request, parameters, out);
    if (const std::string* hosts = parameters.find_any(
            {"hostname", "hostnames", "host", "domain", "domains", "domain_name"}))
        out.hostnames = split_hosts(*hosts);
    read_addresses(parameters, out);
    read_prefixes(parameters, out);
    out.offline = is_yes(parameters.find("offline"));
    return out;
}

AddressUpdate read_duckdns(const Parameters& parameters) {
    AddressUpdate out;
    out.dialect = Dialect::duckdns;
    if (const std::string* token = parameters.find("token")) out.secret = base::Secret(*token);
    if (const std::string* hosts = parameters.find_any({"domains", "domain"}))
        out.hostnames = split_hosts(*hosts);
    read_addresses(parameters, out);
    read_prefixes(parameters, out);
    out.offline = is_yes(parameters.find("clear"));
    out.verbose = is_yes(parameters.find("verbose"));
    return out;
}

/// The form without parameters: /update/domains/token[/ip].
AddressUpdate read_duckdns_path(const std::vector<std::string_view>& path) {
    AddressUpdate out;
    out.dialect = Dialect::duckdns;
    out.hostnames = split_hosts(percent_decoded(path[1]));
    out.secret = base::Secret(percent_decoded(path[2]));
    if (path.size() > 3) {
        const std::string text = percent_decoded(path[3]);
        const auto named = read_address(text);
        if (!named) out.unusable = start_of(text);
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

}  // namespace

AddressIntent read_address_update(const http::Request& request) {
    const auto path = path_segments(request.target);
    const auto at = [&](std::size_t i, std::string_view word) {
        return path.size() > i && path[i] == word;
    };
    const bool check = (path.size() == 2 && at(0, "nic") && at(1, "checkip")) ||
                       (path.size() == 1 && (at(0, "checkip") || at(0, "checkip.html")));
    const bool update = (path.size() == 2 && (at(0, "nic") || at(0, "v3")) && at(1, "update")) ||
                        (path.size() == 1 && at(0, "update"));
    const bool duckdns_path = (path.size() == 3 || path.size() == 4) && at(0, "update");
    const bool freedns = path.size() == 2 && at(0, "u");
    const bool form = request.method == "POST" && request.body.find('=') != std::string_view::npos;
    if (!check && !update && !duckdns_path && !freedns && !path.empty()) return NotOurs{};

    Parameters parameters;
    parameters.add(query_of(request.target));
    if (form && !parameters.too_many()) parameters.add(request.body);
    // The root is the update page of deSEC and of many storage devices, if the request names a
    // host.
    const bool root =
        path.empty() && parameters.find_any({"hostname", "host", "domain", "hostnames"}) != nullptr;
    if (path.empty() && !root) return NotOurs{};
    if (request.method != "GET" && request.method != "POST") return WrongMethod{};
    if (parameters.too_many()) return TooManyParameters{};
    if (check) return CheckIp{};
    if (duckdns_path) return read_duckdns_path(path);
    if (freedns) return read_freedns(path[1], parameters);
    if (parameters.find("token") != nullptr) return read_duckdns(parameters);
    return read_dyndns2(request, parameters);
}

}  // namespace sftdyn::protocol
