// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_clients.hpp"

#include <cctype>

#include "base/network.hpp"
#include "base/secret.hpp"
#include "dns/name_fault.hpp"

namespace sftdyn::config {
namespace {

/// Whether the table's name is a client's name, and not its key.
bool is_named(const toml::table& table) {
    // A header [clients.NAME], or NAME.host = "…": keys are not written in this way.
    if (!table.is_inline()) return true;
    for (const char* key : {"key", "user", "password", "password_hash", "hosts"}) {
        if (table.contains(key)) return true;
    }
    return false;
}

/// Whether the name's last label may be a public top-level domain: letters only, or xn-- (RFC 3696
/// §2).
bool ends_like_a_host(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view last = text.substr(dot + 1);
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return last.starts_with("xn--") ||
           (!last.empty() && std::all_of(last.begin(), last.end(), is_letter));
}

/// Whether the key looks like a host, and the host does not.
bool are_swapped(std::string_view key, const dns::Name& host) {
    return ends_like_a_host(key) && dns::fault_of_host(key).empty() &&
           !ends_like_a_host(host.text());
}

constexpr const char* key_of_url =
    "write only what stands behind the server's name and its slash: that is the key";

bool is_url(std::string_view key) {
    return key.starts_with("http://") || key.starts_with("https://");
}

/// Whether the key begins with a host name, as in "dyn.example.org:8080/…".
bool begins_with_a_server(std::string_view key) {
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view server = key.substr(0, std::min(slash, key.find(':')));
    return ends_like_a_host(server) && dns::fault_of_host(server).empty();
}

/// The setting with the name of `key`, if the key is written without quotation marks.
const Setting* setting_of_that_name(const toml::key& key) {
    const auto& at = key.source();
    const bool is_bare =
        at.begin.line == at.end.line && at.end.column - at.begin.column == key.str().size();
    const auto rows = all_settings();
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&key](const Setting& row) { return row.name == key.str(); });
    return is_bare && found != rows.end() ? &*found : nullptr;
}

/// Most names are recognised by their last character, without parsing: there may be a million.
bool is_address(std::string_view text) {
    const bool may_be =
        !text.empty() && (std::isdigit(static_cast<unsigned char>(text.back())) != 0 ||
                          text.find(':') != std::string_view::npos);
    return may_be && base::parse_address(text).has_value();
}

void read_limits_of_client(TomlSection& section, ClientLimits& limits) {
    section.integer("changes", limits.changes);
    section.integer("changes_refill", limits.changes_refill);
    section.integer("stale_after", limits.stale_after);
}

}  // namespace

void TomlClients::read(const toml::table& table) {
    for (const auto& [key, node] : table) read_one(key, node);
}

void TomlClients::read(const ClientLine& line) {
    const toml::source_position at{line.line, line.host_column};
    const auto name = host(line.host, at);
    add(line.key, {line.line, line.key_column}, name, at, {});
}

void TomlClients::read_one(const toml::key& key, const toml::node& node) {
    const auto* inner = node.as_table();
    if (const Setting* meant = setting_of_that_name(key);
        meant != nullptr && (inner == nullptr || !is_named(*inner)))
        return stands_too_low(key, *meant);
    ClientList::Options options;
    if (const auto short_form = node.value_exact<std::string>()) {
        add(key.str(), key.source().begin, host(*short_form, node.source().begin),
            node.source().begin, options);
    } else if (const auto* table = node.as_table(); table != nullptr && is_named(*table)) {
        named(key, *table);
    } else if (table != nullptr) {
        const auto name = long_form(*table, options);
        add(key.str(), key.source().begin, name, node.source().begin, options);
    } else {
        // The key is a secret and is not quoted; the position tells which client it is.
        context_.error(node.source(), "a client's value is of the wrong type",
                       "expected \"key\" = \"host.example.org\" or \"key\" = { host = "
                       "\"host.example.org\", ttl = 60 }");
    }
}

void TomlClients::stands_too_low(const toml::key& key, const Setting& meant) {
    const bool may_be_clients = meant.section == Section::named_client ||
                                meant.section == Section::client ||
                                meant.section == Section::host || meant.name == "key";
    const std::string home = meant.section == Section::top || may_be_clients
                                 ? "at the file's top, above the first [table]"
                                 : fmt::format("in {}", label_of(meant.section));
    context_.error(
        key.source(),
        fmt::format("{} is the name of a setting, and stands below [clients]", meant.name),
        fmt::format("write settings of the server {}{}", home,
                    may_be_clients ? ", and those of one client below a line [clients.NAME]"
                                   : "; a client's key of that name takes quotation marks"));
}

void TomlClients::read_credentials(TomlSection& section, NamedClient& client) {
    section.text("key", "the secret of its URL, as a string",
                 [&](const std::string& value) -> base::Result<void> {
                     if (is_url(value))
                         return base::Error{"a client's key is a whole URL", "", key_of_url};
                     if (value.empty() || value.starts_with('/'))
                         return base::Error{
                             value.empty() ? "a client's key is empty"
                                           : "a client's key begins with a slash",
                             "",
                             "give it a long random key, for example from: openssl rand -hex 16"};
                     client.key = base::Secret(value);
                     return {};
                 });
    section.text("user", "the user's name for dyndns2",
                 [&](const std::string& value) -> base::Result<void> {
                     if (value.empty() || value.find(':') != std::string::npos)
                         return base::Error{"user is empty, or has a colon in it", "",
                                            "HTTP has no way to send such a name"};
                     client.user = value;
                     return {};
                 });
    section.text("password", "a password as a string",
                 [&](const std::string& value) -> base::Result<void> {
                     if (value.empty())
                         return base::Error{
                             "password is empty", "",
                             "give it a long random one, for example from: openssl rand -hex 16"};
                     client.password = base::Secret(value);
                     return {};
                 });
    section.text("password_hash", "the hash of a password, from: sftdyn password",
                 [&](const std::string& value) -> base::Result<void> {
                     client.password_hash = value;
                     return {};
                 });
}

void TomlClients::named(const toml::key& name, const toml::table& table) {
    TomlSection section(context_, table, Section::named_client);
    const std::size_t before = context_.found.size();
    NamedClient client;
    client.name = name.str();
    client.source = source(name.source().begin);
    client.has_table = true;
    read_credentials(section, client);
    client.may_set_address = client.user.has_value();
    section.flag("may_set_address", client.may_set_address);
    section.flag("empty_removes", client.empty_removes);
    read_limits_of_client(section, client.limits);
    read_hosts(section, table, client);
    section.reject_unknown();
    if (context_.found.size() != before) return;
    if (!client.key && !client.user)
        return context_.error(table.source(), "a client has neither key nor user",
                              "add key = \"…\" (openssl rand -hex 16), or user and password: its "
                              "table's name is not a key");
    const bool has_password = !client.password.empty(), has_hash = !client.password_hash.empty();
    if (client.user && has_password == has_hash)
        return context_.error(table.source(),
                              has_hash ? "a client has both password and password_hash"
                                       : "a client has a user, but no password",
                              "give it one of password and password_hash");
    if (!client.user && (has_password || has_hash))
        return context_.error(table.source(), "a client has a password, but no user",
                              "add user = \"…\"");
    if (client.hosts.empty())
        return context_.error(table.source(), "a client has no hosts",
                              "add hosts = [\"host.example.org\"]");
    settings_.named_clients.push_back(std::move(client));
}

void TomlClients::read_hosts(TomlSection& section, const toml::table& table, NamedClient& client) {
    // Either `host` with its options in the client's table, or `hosts` with names and tables.
    const toml::node* one = section.take("host");
    const toml::node* many = section.take("hosts");
    if (one != nullptr && many != nullptr)
        return context_.error(many->source(), "both host and hosts are given", "keep one of them");
    if (one != nullptr) return read_host(section, table, one, client);
    for (const char* own : {"ttl", "ptr", "ipv6_suffix", "ipv6_subnet"}) {
        if (const toml::node* node = section.take(own))
            context_.error(node->source(), fmt::format("{} belongs to one host", own),
                           "write it there: hosts = [{ host = \"host.example.org\", ttl = 60 }]");
    }
    if (many == nullptr) return;
    one_or_many(*many, [&](const toml::node& node) {
        if (const auto* host_table = node.as_table()) {
            TomlSection host_section(context_, *host_table, Section::host);
            read_host(host_section, *host_table, host_section.take("host"), client);
            host_section.reject_unknown();
            return;
        }
        const auto text = node.value_exact<std::string>();
        if (!text)
            return section.wrong_type(
                node, "hosts", "names, or tables: { host = \"host.example.org\", ttl = 60 }");
        const auto at = node.source().begin;
        if (auto name = host(*text, at); name && is_whole(*name, at))
            client.hosts.push_back({std::move(*name)});
    });
}

void TomlClients::read_host(TomlSection& section, const toml::table& table, const toml::node* node,
                            NamedClient& client) {
    NamedHost out;
    section.integer("ttl", out.ttl);
    section.flag("ptr", out.reverse);
    section.text("ipv6_suffix", "an IPv6 address with 64 zero bits in front",
                 [&](const std::string& value) -> base::Result<void> {
                     const auto address = base::parse_address(value);
                     const auto bytes = address && address->is_v6()
                                            ? address->to_v6().to_bytes()
                                            : boost::asio::ip::address_v6::bytes_type{1};
                     if (std::any_of(bytes.begin(), bytes.begin() + 8,
                                     [](unsigned char c) { return c != 0; }))
                         return base::Error{
                             "ipv6_suffix is not a suffix of 64 bits", "",
                             "expected the host's part of its address: \"::1234:5678:9abc:def0\""};
                     out.ipv6_suffix = address->to_v6();
                     return {};
                 });
    section.integer("ipv6_subnet", out.ipv6_subnet);
    if (out.ipv6_subnet != 0 && !out.ipv6_suffix)
        context_.error(table.source(), "ipv6_subnet without ipv6_suffix", "give both, or neither");
    const auto text = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
    if (!text)
        return context_.error(node != nullptr ? node->source() : table.source(),
                              "a client has no host", "expected { host = \"host.example.org\" }");
    auto name = host(*text, node->source().begin);
    if (!name || !is_whole(*name, node->source().begin)) return;
    out.name = std::move(*name);
    client.hosts.push_back(std::move(out));
}

void TomlClients::add(std::string_view key, toml::source_position key_at,
                      const std::optional<dns::Name>& host, toml::source_position at,
                      const ClientList::Options& options) {
    if (key.empty())
        return context_.error(key_at, "a client's key is empty",
                              "give it a long random key, for example from: openssl rand -hex 16");
    if (key.starts_with('/'))
        return context_.error(key_at, "a client's key begins with a slash",
                              "leave it out: leading slashes are not part of the key");
    if (is_url(key)) return context_.error(key_at, "a client's key is a whole URL", key_of_url);
    if (begins_with_a_server(key))
        context_.warning({key_at, key_at, nullptr}, "a client's key begins with a server's name",
                         key_of_url);
    if (!host) return;
    if (are_swapped(key, *host))
        return context_.error(key_at, "host and key are in the wrong order",
                              "the key comes first: \"key\" = \"host.example.org\"");
    if (!is_whole(*host, at)) return;
    if (const auto first = settings_.clients.source_of_key(key))
        return context_.error(key_at,
                              fmt::format("this key appears twice (first in {})",
                                          files_.text_of(*first, context_.number)),
                              "give each host a key of its own");
    // A second key for a host, as while a key is replaced, becomes a client of its own.
    if (settings_.clients.source_of_host(*host)) {
        NamedClient named;
        named.name = host->text();
        named.key = base::Secret(std::string(key));
        named.hosts.push_back({.name = *host, .ttl = options.ttl, .reverse = options.reverse});
        named.limits = options.limits;
        named.source = source(at);
        settings_.named_clients.push_back(std::move(named));
        return;
    }
    static_cast<void>(settings_.clients.add(key, *host, options, source(at)));
}

std::optional<dns::Name> TomlClients::long_form(const toml::table& table,
                                                ClientList::Options& options) {
    TomlSection section(context_, table, Section::client);
    const std::size_t before = context_.found.size();
    const toml::node* node = section.take("host");
    const auto text = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
    std::optional<dns::Name> name;
    if (text) {
        name = host(*text, node->source().begin);
    } else {
        context_.error(node != nullptr ? node->source() : table.source(), "a client has no host",
                       "expected { host = \"host.example.org\" }");
    }
    section.integer("ttl", options.ttl);
    section.flag("ptr", options.reverse);
    read_limits_of_client(section, options.limits);
    section.reject_unknown();
    return context_.found.size() == before ? name : std::nullopt;
}

bool TomlClients::is_whole(const dns::Name& host, toml::source_position at) {
    if (!host.parent().is_root() || zone_for(settings_, host).zone) return true;
    context_.error(at, "this host has no dot in it: a host is written with its zone",
                   "write it whole: \"key\" = \"host.example.org\"");
    return false;
}

std::optional<dns::Name> TomlClients::host(std::string_view text, toml::source_position at) {
    constexpr const char* order = "the key comes first: \"key\" = \"host.example.org\"";
    if (is_address(text)) {
        context_.error(
            at, "this host is an address, not a name",
            "name the host that gets its client's address: \"key\" = \"host.example.org\"");
        return std::nullopt;
    }
    auto name = parse_client_host(text);
    if (name.has_error()) {
        context_.error(at, name.error().what, order);
        return std::nullopt;
    }
    const auto& zone = zone_for(settings_, *name).zone;
    if (zone && !name->is_within(*zone)) {
        context_.error(
            at, "this host is not in the zone that [dns] names, nor in a [[zone]]",
            fmt::format("correct one of them, or add a [[zone]] for this host; {}", order));
        return std::nullopt;
    }
    return std::move(*name);
}

}  // namespace sftdyn::config
