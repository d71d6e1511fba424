// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dialects.hpp"

#include <algorithm>

#include "protocol/parameter_names.hpp"

namespace sftdyn::protocol {
namespace {

constexpr DialectRow rows[] = {
    {"Namecheap", Dialect::namecheap, "update", "host domain password !username !user"},
    {"DuckDNS, FreeMyIP", Dialect::duckdns, "update", "token"},
    {"DuckDNS", Dialect::duckdns, "update/{host}/{key}"},
    {"DuckDNS", Dialect::duckdns, "update/{host}/{key}/{ip}"},
    {"dynv6", Dialect::dynv6, "api/update"},
    {"FreeDNS, version 2", Dialect::freedns, "u/{key}"},
    {"FreeDNS, version 2 with a user", Dialect::freedns, "u"},
    {"FreeDNS, version 1", Dialect::freedns, "dynamic/update.php", {}, true},
    {"YDNS", Dialect::ydns, "api/v1/update"},
    {"easyDNS", Dialect::easydns, "dyn/generic.php"},
    {"easyDNS", Dialect::easydns, "dyn/tomato.php"},
    {"easyDNS", Dialect::easydns, "dyn/ez-ipupdate.php"},
    {"regfish", Dialect::regfish, "", "fqdn"},
    {"dyndns2, No-IP, IPv64, Dynu, he.net", Dialect::dyndns2, "nic/update"},
    {"dyndns2 of FreeNAS", Dialect::dyndns2, "nic/update/{host}"},
    {"dyndns1", Dialect::dyndns2, "nic/dyndns"},
    {"docker-ddns", Dialect::dyndns2, "v2/update"},
    {"dyndns2", Dialect::dyndns2, "v3/update"},
    {"dyndns2 of FreeNAS", Dialect::dyndns2, "v3/update/{host}"},
    {"dyndns2", Dialect::dyndns2, "update"},
    {"scripts", Dialect::dyndns2, "update.php"},
    {"3322", Dialect::dyndns2, "dyndns/update"},
    {"Oray", Dialect::dyndns2, "ph/update"},
    {"deSEC, all-inkl, do.de", Dialect::dyndns2, ""},
    {"any path", Dialect::dyndns2, "*"},
};

template <class Visit>
bool for_each_part(std::string_view text, char separator, const Visit& visit) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0 && !visit(text.substr(0, end))) return false;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
}

bool fits(std::string_view pattern, const std::vector<std::string_view>& path) {
    if (pattern == "*") return true;
    std::size_t number = 0;
    const bool all = for_each_part(pattern, '/', [&](std::string_view segment) {
        if (number == path.size()) return false;
        const std::string_view sent = path[number++];
        return segment.starts_with('{') || segment == sent;
    });
    return all && number == path.size();
}

bool has_marks(std::string_view marks, const Parameters& parameters) {
    return for_each_part(marks, ' ', [&](std::string_view mark) {
        const bool unwanted = mark.starts_with('!');
        return (parameters.find(mark.substr(unwanted ? 1 : 0)) != nullptr) != unwanted;
    });
}

/// Whether a parameter has a name that only an update has. Names of one letter are ambiguous, and
/// do not count.
bool names_something(const Parameters& parameters) {
    return std::ranges::any_of(parameters.all(), [](const Parameter& parameter) {
        const auto meaning = meaning_of(parameter.name.substr(0, parameter.name.find(':')));
        return meaning && *meaning < Meaning::offline && parameter.has_value &&
               parameter.name.size() > 1;
    });
}

}  // namespace

std::span<const DialectRow> dialect_rows() { return rows; }

const DialectRow* find_dialect(const std::vector<std::string_view>& path,
                               const Parameters& parameters, bool is_authorized) {
    const bool names = names_something(parameters);
    const auto* found = std::ranges::find_if(rows, [&](const DialectRow& row) {
        if (!fits(row.path, path) || !has_marks(row.marks, parameters)) return false;
        // The root and `*` are not specific to a service: the parameters must show that the request
        // is an update.
        if (row.path.empty()) return names || is_authorized;
        return row.path != "*" || (names && is_authorized);
    });
    return found == std::end(rows) ? nullptr : found;
}

bool is_path_of_dialect(const std::vector<std::string_view>& path) {
    return !path.empty() && std::ranges::any_of(rows, [&](const DialectRow& row) {
        return row.path != "*" && fits(row.path, path);
    });
}

std::string_view segment_for(std::string_view placeholder, const DialectRow& row,
                             const std::vector<std::string_view>& path) {
    std::size_t number = 0, found = path.size();
    (void)for_each_part(row.path, '/', [&](std::string_view segment) {
        if (segment == placeholder) found = number;
        ++number;
        return true;
    });
    return found < path.size() ? path[found] : std::string_view();
}

}  // namespace sftdyn::protocol
