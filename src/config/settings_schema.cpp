// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings_schema.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/ascii.hpp"

namespace sftdyn::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

bool are_same(const base::Network& a, const base::Network& b) {
    return a.address == b.address && a.prefix == b.prefix;
}
template <class T>
bool are_same(const T& a, const T& b) {
    return a == b;
}
template <class T>
bool are_same(const std::vector<T>& a, const std::vector<T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const T& x, const T& y) { return are_same(x, y); });
}

/// Accesses a nested member of `Settings` by a path of pointers to members.
template <auto... Members>
struct MemberPath {
    static auto& of(Settings& settings) { return (settings.*....*Members); }
    static const auto& of(const Settings& settings) { return (settings.*....*Members); }
    static bool is_same(const Settings& a, const Settings& b) { return are_same(of(a), of(b)); }

    static void set(Settings& settings, std::int64_t value) {
        using Type = std::remove_reference_t<decltype(of(settings))>;
        if constexpr (std::is_same_v<Type, milliseconds>) {
            of(settings) = milliseconds(value);
        } else if constexpr (std::is_same_v<Type, std::optional<std::uint32_t>>) {
            of(settings) = static_cast<std::uint32_t>(value);
        } else {
            of(settings) = static_cast<Type>(value);
        }
    }
};

struct SettingPlace {
    Section section;
    std::string_view name;
    Effect effect;
};
struct Whole {
    std::int64_t fallback, least, most;
};
struct Time {
    milliseconds fallback, least, most;
};

// Rows whose value is stored directly in `Settings`.

template <auto... Members>
constexpr Setting whole(SettingPlace place, Whole range) {
    using At = MemberPath<Members...>;
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::integer,
            .effect = place.effect,
            .least = range.least,
            .most = range.most,
            .fallback = range.fallback,
            .set = &At::set,
            .is_same = &At::is_same};
}
template <auto... Members>
constexpr Setting seconds(SettingPlace place, Time range) {
    using At = MemberPath<Members...>;
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::seconds,
            .effect = place.effect,
            .least = range.least.count(),
            .most = range.most.count(),
            .fallback = range.fallback.count(),
            .set = &At::set,
            .is_same = &At::is_same};
}
template <auto... Members>
constexpr Setting flag(SettingPlace place, bool fallback) {
    using At = MemberPath<Members...>;
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::flag,
            .effect = place.effect,
            .fallback = fallback ? 1 : 0,
            .set = &At::set,
            .is_same = &At::is_same};
}
template <auto... Members>
constexpr Setting path(SettingPlace place) {
    using At = MemberPath<Members...>;
    return {
        .section = place.section,
        .name = place.name,
        .kind = SettingKind::path,
        .effect = place.effect,
        .path = [](Settings& settings) -> std::optional<std::string>& { return At::of(settings); },
        .is_same = &At::is_same};
}

template <auto... Members>
constexpr Setting choice(SettingPlace place, std::span<const std::string_view> words) {
    using At = MemberPath<Members...>;
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::choice,
            .effect = place.effect,
            .words = words,
            .set = &At::set,
            .is_same = &At::is_same};
}

/// Whether the text is at least two words with hyphens between, as "CF-Connecting-IP". A client's
/// key does not usually look like that.
bool is_header_name(std::string_view text) {
    const auto is_hyphen = [](char c) { return c == '-'; };
    const auto is_good = [&](char c) {
        return is_hyphen(c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    };
    const std::string lower = base::ascii_lower(text);
    return lower.size() <= 64 && lower.find("--") == std::string::npos && lower.front() >= 'a' &&
           lower.back() != '-' && std::any_of(lower.begin(), lower.end(), is_hyphen) &&
           std::all_of(lower.begin(), lower.end(), is_good);
}

/// Stores the name of another header. Refuses one of our words in another case: the word itself was
/// probably meant.
bool take_header(Settings& settings, std::string_view name) {
    const std::string lower = base::ascii_lower(name);
    const bool is_ours = lower == "x-forwarded-for" || lower == "x-real-ip";
    if (name.empty() || is_ours || !is_header_name(name)) return false;
    settings.proxy_header = Settings::ProxyHeaderSetting::x_real_ip;
    settings.proxy_field = lower;
    return true;
}

constexpr Setting or_other_header(Setting row) {
    row.take_other = &take_header;
    row.is_same = [](const Settings& a, const Settings& b) {
        return a.proxy_header == b.proxy_header && a.proxy_field == b.proxy_field;
    };
    return row;
}

/// The row of a path that may be switched off.
constexpr Setting or_off(Setting row) {
    row.may_be_off = true;
    return row;
}

/// The row of a setting that had another name before.
constexpr Setting renamed(std::string_view former_name, Setting row) {
    row.former_name = former_name;
    return row;
}

// Rows that hand-written readers read.

constexpr Setting other(SettingPlace place, SettingKind kind, std::int64_t fallback = 0) {
    return {.section = place.section,
            .name = place.name,
            .kind = kind,
            .effect = place.effect,
            .fallback = fallback};
}
constexpr Setting words(SettingPlace place, std::span<const std::string_view> words,
                        std::int64_t fallback) {
    Setting row = other(place, SettingKind::choice, fallback);
    row.words = words;
    return row;
}
template <auto... Members>
constexpr Setting read(SettingPlace place, SettingKind kind, std::int64_t fallback = 0) {
    return {.section = place.section,
            .name = place.name,
            .kind = kind,
            .effect = place.effect,
            .fallback = fallback,
            .is_same = &MemberPath<Members...>::is_same};
}
constexpr Setting whole_number(SettingPlace place, Whole range) {
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::integer,
            .effect = place.effect,
            .least = range.least,
            .most = range.most,
            .fallback = range.fallback};
}
constexpr Setting time(SettingPlace place, Time range) {
    return {.section = place.section,
            .name = place.name,
            .kind = SettingKind::seconds,
            .effect = place.effect,
            .least = range.least.count(),
            .most = range.most.count(),
            .fallback = range.fallback.count()};
}
constexpr Setting section(std::string_view name, SettingKind kind) {
    return other({Section::top, name, Effect::reload}, kind);
}

// The table. The namespace holds its abbreviations.
namespace rows {

using enum Section;
using enum Effect;
using K = SettingKind;
using S = Settings;
using Zone = ZoneSettings;
using Admin = AdminSettings;

constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();

constexpr Whole changes{10, 0, 1'000'000};
constexpr Time changes_refill{30s, 1ms, 24h}, stale_after{24h, 0s, 366 * 24h},
    timeout{5s, 100ms, 60s};

constexpr std::string_view log_levels[] = {"error", "warning", "info", "debug"};
constexpr std::string_view log_formats[] = {"text", "json"};
constexpr std::string_view proxy_headers[] = {"X-Forwarded-For", "Forwarded", "X-Real-IP"};

constexpr std::string_view removals[] = {"keep", "remove"};
constexpr std::string_view tls_versions[] = {"1.2", "1.3"};

constexpr Setting table[] = {
    read<&S::http>({top, "http", restart}, K::listeners, default_port),
    read<&S::https>({top, "https", restart}, K::listeners),
    path<&S::cert>({top, "cert", reload}),
    path<&S::key>({top, "key", reload}),
    choice<&S::tls_min_version>({top, "tls_min_version", reload}, tls_versions),
    read<&S::trusted_proxies>({top, "trusted_proxies", restart}, K::texts),
    or_other_header(choice<&S::proxy_header>({top, "proxy_header", restart}, proxy_headers)),
    words({top, "log", reload}, log_levels, 1),
    choice<&S::log_format>({top, "log_format", restart}, log_formats),
    other({top, "uptodate", reload}, K::text),
    other({top, "refusals_in_200", reload}, K::flag),
    or_off(path<&S::dns, &Zone::key_file>({top, "nskeyfile", reload})),
    path<&S::include>({top, "include", reload}),
    section("certificate", K::tables),
    section("addresses", K::table),
    section("dns", K::table),
    section("zone", K::tables),
    section("limits", K::table),
    section("process", K::table),
    section("admin", K::table),
    section("clients", K::table),

    other({listener, "listen", restart}, K::text),
    other({listener, "proxy_protocol", restart}, K::flag),
    other({listener, "mode", restart}, K::text, default_socket_mode),
    other({listener, "group", restart}, K::text),

    other({certificate, "cert", reload}, K::path),
    other({certificate, "key", reload}, K::path),

    other({addresses, "allow", reload}, K::texts),
    other({addresses, "deny", reload}, K::texts),

    other({dns, "server", reload}, K::texts),
    other({dns, "servers", reload}, K::texts),
    other({dns, "zone", reload}, K::text),
    whole<&S::dns, &Zone::ttl>({dns, "ttl", reload}, {default_ttl, 0, largest_ttl}),
    flag<&S::dns, &Zone::tcp>({dns, "tcp", reload}, false),
    flag<&S::dns, &Zone::sign_queries>({dns, "sign_queries", reload}, true),
    flag<&S::dns, &Zone::queries>({dns, "queries", reload}, true),
    seconds<&S::timeout>({dns, "timeout", reload}, timeout),
    renamed("verify_interval", seconds<&S::freshness>({dns, "freshness", reload}, {1s, 0s, 24h})),
    flag<&S::follow_serial>({dns, "follow_serial", reload}, true),
    flag<&S::read_back>({dns, "read_back", reload}, true),
    choice<&S::on_removal>({dns, "on_removal", reload}, removals),
    whole<&S::batch>({dns, "batch", reload}, {1000, 1, 5000}),
    whole<&S::updates_in_flight>({dns, "updates_in_flight", reload}, {1, 1, 64}),
    whole<&S::queries_in_flight>({dns, "queries_in_flight", reload}, {100, 1, 10'000}),
    whole<&S::queue>({dns, "queue", reload}, {10'000, 1, 10'000'000}),

    other({zone, "name", reload}, K::text),
    other({zone, "server", reload}, K::texts),
    other({zone, "servers", reload}, K::texts),
    other({zone, "tcp", reload}, K::flag),
    other({zone, "sign_queries", reload}, K::flag, 1),
    other({zone, "queries", reload}, K::flag, 1),
    or_off(other({zone, "nskeyfile", reload}, K::path)),
    whole_number({zone, "ttl", reload}, {default_ttl, 0, largest_ttl}),
    time({zone, "timeout", reload}, timeout),

    whole<&S::changes>({limits, "changes", reload}, changes),
    seconds<&S::changes_refill>({limits, "changes_refill", reload}, changes_refill),
    whole<&S::threads>({limits, "threads", restart}, {0, 0, 256}),
    seconds<&S::header_time>({limits, "header_time", restart}, {10s, 100ms, 1h}),
    seconds<&S::idle_time>({limits, "idle_time", restart}, {60s, 100ms, 24h}),
    seconds<&S::write_time>({limits, "write_time", restart}, {30s, 100ms, 1h}),
    seconds<&S::handshake_time>({limits, "handshake_time", restart}, {10s, 100ms, 1h}),
    whole<&S::header_size>({limits, "header_size", restart}, {16 * 1024, 256, 1 << 20}),
    whole<&S::body_size>({limits, "body_size", restart}, {64 * 1024, 0, 1 << 20}),
    whole<&S::connections>({limits, "connections", restart}, {2500, 1, 1'000'000}),
    whole<&S::connections_per_client>({limits, "connections_per_client", restart},
                                      {100, 1, 1'000'000}),
    whole<&S::requests_per_connection>({limits, "requests_per_connection", restart},
                                       {1000, 1, 1'000'000'000}),
    whole<&S::bad_keys>({limits, "bad_keys", reload}, {20, 0, 1'000'000}),
    seconds<&S::bad_keys_refill>({limits, "bad_keys_refill", reload}, {30s, 1ms, 24h}),

    read<&S::user>({process, "user", restart}, K::text),
    flag<&S::seccomp>({process, "seccomp", restart}, true),
    flag<&S::landlock>({process, "landlock", restart}, true),

    read<&S::admin, &Admin::metrics>({admin, "metrics", restart}, K::listeners),
    or_off(path<&S::admin, &Admin::control>({admin, "control", restart})),
    or_off(path<&S::admin, &Admin::state>({admin, "state", restart})),
    seconds<&S::admin, &Admin::stale_after>({admin, "stale_after", reload}, stale_after),
    renamed("hook",
            read<&S::admin, &Admin::event_command>({admin, "event_command", restart}, K::command)),
    read<&S::admin, &Admin::events>({admin, "events", restart}, K::texts),
    renamed("hooks_at_once", whole<&S::admin, &Admin::event_commands_at_once>(
                                 {admin, "event_commands_at_once", restart}, {4, 1, 64})),
    renamed("hook_time", seconds<&S::admin, &Admin::event_command_time>(
                             {admin, "event_command_time", restart}, {30s, 100ms, 1h})),

    other({client, "host", reload}, K::text),
    whole_number({client, "ttl", reload}, {0, 0, largest_ttl}),
    other({client, "ptr", reload}, K::flag),
    whole_number({client, "changes", reload}, changes),
    time({client, "changes_refill", reload}, changes_refill),
    time({client, "stale_after", reload}, stale_after),

    other({named_client, "key", reload}, K::text),
    other({named_client, "user", reload}, K::text),
    other({named_client, "password", reload}, K::text),
    other({named_client, "password_hash", reload}, K::text),
    other({named_client, "hosts", reload}, K::texts),
    other({named_client, "may_set_address", reload}, K::flag),
    other({named_client, "empty_removes", reload}, K::flag),
    whole_number({named_client, "changes", reload}, changes),
    time({named_client, "changes_refill", reload}, changes_refill),
    time({named_client, "stale_after", reload}, stale_after),
    other({named_client, "host", reload}, K::text),
    whole_number({named_client, "ttl", reload}, {0, 0, largest_ttl}),
    other({named_client, "ptr", reload}, K::flag),
    other({named_client, "ipv6_suffix", reload}, K::text),
    whole_number({named_client, "ipv6_subnet", reload}, {0, 0, any_number}),

    other({host, "host", reload}, K::text),
    whole_number({host, "ttl", reload}, {0, 0, largest_ttl}),
    other({host, "ptr", reload}, K::flag),
    other({host, "ipv6_suffix", reload}, K::text),
    whole_number({host, "ipv6_subnet", reload}, {0, 0, any_number}),
};

}  // namespace rows
using rows::table;

static_assert(std::is_sorted(std::begin(table), std::end(table),
                             [](const Setting& a, const Setting& b) {
                                 return a.section < b.section;
                             }),
              "the settings of a section stand together, in the sections' order");
static_assert(std::all_of(std::begin(table), std::end(table),
                          [](const Setting& row) {
                              return row.kind != SettingKind::integer ||
                                     (row.least <= row.fallback && row.fallback <= row.most);
                          }),
              "a default is in its range");

}  // namespace

std::span<const Setting> all_settings() { return table; }

Settings::Settings() {
    for (const Setting& row : table) {
        if (row.set != nullptr) row.set(*this, row.fallback);
    }
}

}  // namespace sftdyn::config
