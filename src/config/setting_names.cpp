#include "config/setting_names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace sftdyn::config {
namespace {

constexpr std::string_view dns = "[dns]", zone = "[[zone]]", limits = "[limits]",
                           process = "[process]", addresses = "[addresses]", admin = "[admin]",
                           certificate = "[[certificate]]", client = "a client", host = "a host",
                           http = "http", https = "https";

constexpr SettingName names[] = {
    {"", "http"},
    {"", "https"},
    {"", "trusted_proxies"},
    {"", "proxy_header"},
    {"", "cert"},
    {"", "key"},
    {"", "certificate"},
    {"", "nskeyfile"},
    {"", "process"},
    {"", "admin"},
    {"", "addresses"},
    {"", "dns"},
    {"", "zone"},
    {"", "limits"},
    {"", "clients"},
    {"", "uptodate"},

    {dns, "server"},
    {dns, "servers"},
    {dns, "zone"},
    {dns, "ttl"},
    {dns, "tcp"},
    {dns, "timeout"},
    {dns, "verify_interval"},
    {dns, "batch"},
    {dns, "queue"},
    {dns, "updates_in_flight"},
    {dns, "queries_in_flight"},

    {zone, "name"},
    {zone, "server"},
    {zone, "servers"},
    {zone, "ttl"},
    {zone, "tcp"},
    {zone, "nskeyfile"},

    {limits, "changes"},
    {limits, "changes_refill"},
    {limits, "threads"},
    {limits, "header_time"},
    {limits, "idle_time"},
    {limits, "write_time"},
    {limits, "handshake_time"},
    {limits, "header_size"},
    {limits, "body_size"},
    {limits, "connections"},
    {limits, "connections_per_client"},
    {limits, "requests_per_connection"},
    {limits, "bad_keys"},
    {limits, "bad_keys_refill"},

    {addresses, "allow"},
    {addresses, "deny"},

    {process, "user"},
    {process, "seccomp"},
    {process, "landlock"},

    {admin, "metrics"},
    {admin, "control"},
    {admin, "state"},
    {admin, "stale_after"},
    {admin, "hook"},
    {admin, "hooks_at_once"},
    {admin, "hook_time"},

    {certificate, "cert"},
    {certificate, "key"},

    {client, "key"},
    {client, "user"},
    {client, "password"},
    {client, "password_hash"},
    {client, "may_set_address"},
    {client, "host"},
    {client, "hosts"},
    {client, "ttl"},
    {client, "ptr"},
    {client, "ipv6_suffix"},
    {client, "ipv6_subnet"},

    {host, "host"},
    {host, "ttl"},
    {host, "ptr"},
    {host, "ipv6_suffix"},
    {host, "ipv6_subnet"},

    {http, "listen"},
    {http, "proxy_protocol"},
    {http, "mode"},
    {http, "group"},
    {https, "listen"},
    {https, "proxy_protocol"},
    {https, "mode"},
    {https, "group"},
};

/// What our own names are made of: a client's key is seldom so short and plain.
bool is_plain_word(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '4' || c == '6';
    };
    return name.size() >= 2 && name.size() <= 24 && std::all_of(name.begin(), name.end(), plain);
}

/// How many characters are to be added, left out, replaced, or swapped with their neighbour
/// (Damerau and Levenshtein, each place changed once).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> two_before(b.size() + 1), before(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) before[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min(
                {before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], two_before[j - 2] + 1);
        }
        std::swap(two_before, before);
        std::swap(before, row);
    }
    return before[b.size()];
}

bool is_near(std::string_view name, std::string_view ours) {
    // Half of a short word may not be guessed.
    const std::size_t most = ours.size() < 3 ? 0 : ours.size() < 7 ? 1 : 2;
    const std::size_t difference =
        name.size() > ours.size() ? name.size() - ours.size() : ours.size() - name.size();
    return difference <= most && distance(name, ours) <= most;
}

}  // namespace

std::span<const SettingName> setting_names() { return names; }

std::optional<SettingName> meant_by(std::string_view name, std::string_view section) {
    if (!is_plain_word(name)) return std::nullopt;
    const auto find = [](const auto& fits) -> std::optional<SettingName> {
        const auto* found = std::find_if(std::begin(names), std::end(names), fits);
        return found == std::end(names) ? std::nullopt : std::optional(*found);
    };
    if (const auto same = find(
            [&](const SettingName& ours) { return ours.section == section && ours.name == name; }))
        return same;
    if (const auto near = find([&](const SettingName& ours) {
            return ours.section == section && is_near(name, ours.name);
        }))
        return near;
    const auto elsewhere = find([&](const SettingName& ours) { return ours.name == name; });
    return elsewhere ? elsewhere
                     : find([&](const SettingName& ours) { return is_near(name, ours.name); });
}

}  // namespace sftdyn::config
