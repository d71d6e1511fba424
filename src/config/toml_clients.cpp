// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_clients.hpp"

#include <cctype>
#include <map>

#include "base/network.hpp"
#include "base/secret.hpp"
#include "dns/name_fault.hpp"

namespace sftdyn::config {
namespace {

/// Whether the table's name is a client's, and not its key.
bool is_named(const toml::table& table) {
    // A header [clients.NAME], or NAME.host = "…": nobody writes a key so.
    if (!table.is_inline()) return true;
    for (const char* key : {"key", "user", "password", "password_hash", "hosts"}) {
        if (table.contains(key)) return true;
    }
    return false;
}

/// Whether a name's last part may be one of the world's top-level domains, which have no digits but
/// in xn-- (RFC 3696 §2).
bool ends_like_a_host(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view last = text.substr(dot + 1);
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return last.starts_with("xn--") ||
           (!last.empty() && std::all_of(last.begin(), last.end(), is_letter));
}

/// Whether the key is what a host looks like, and the host is not.
bool are_swapped(std::string_view key, const dns::Name& host) {
    return ends_like_a_host(key) && dns::fault_of_host(key).empty() &&
           !ends_like_a_host(host.text());
}

/// Names that are no addresses are told by their last character: there may be a million of them.
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
        // The key is a secret; its place says which one it is.
        context_.error(node.source(), "a client's value is of the wrong type",
                       "expected \"key\" = \"host.example.org\" or \"key\" = { host = "
                       "\"host.example.org\", ttl = 60 }");
    }
}

void TomlClients::named(const toml::key& name, const toml::table& table) {
    TomlSection section(context_, table, Section::named_client);
    const std::size_t before = context_.found.size();
    NamedClient client;
    client.name = name.str();
    client.line = name.source().begin.line;
    section.text("key", "the secret of its URL, as a string",
                 [&](const std::string& value) -> base::Result<void> {
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
    client.may_set_address = client.user.has_value();
    section.flag("may_set_address", client.may_set_address);
    read_limits_of_client(section, client.limits);
    read_hosts(section, table, client);
    section.reject_unknown();
    if (context_.found.size() != before) return;
    if (!client.key && !client.user)
        return context_.error(table.source(), "a client has neither key nor user",
                              "add key = \"…\" (openssl rand -hex 16), or user and password: its "
                              "table's name is no key");
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
    // `host` with its options in the client's own table, or `hosts` with names and tables.
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
        if (auto name = host(*text, node.source().begin))
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
                             "ipv6_suffix is no suffix of 64 bits", "",
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
    if (!name) return;
    out.name = std::move(*name);
    client.hosts.push_back(std::move(out));
}

void TomlClients::compare_named() {
    std::map<std::string_view, std::uint32_t> keys, users;
    std::map<dns::Name, std::uint32_t> hosts;
    // In the file's order, which is not the library's: the second one is the mistake.
    std::vector<const NamedClient*> clients;
    for (const auto& client : settings_.named_clients) clients.push_back(&client);
    std::sort(clients.begin(), clients.end(),
              [](const NamedClient* a, const NamedClient* b) { return a->line < b->line; });
    for (const NamedClient* one : clients) {
        const NamedClient& client = *one;
        const toml::source_position at{client.line, 1};
        const auto twice = [&](const char* what, std::uint32_t line) {
            context_.error(
                at, fmt::format("this client's {} is there twice (first in line {})", what, line),
                "keep one of them");
        };
        if (client.key) {
            const auto other = settings_.clients.line_of_key(client.key->reveal());
            const auto [found, is_new] = keys.try_emplace(client.key->reveal(), client.line);
            if (other || !is_new) twice("key", other.value_or(found->second));
        }
        if (client.user) {
            const auto [found, is_new] = users.try_emplace(*client.user, client.line);
            if (!is_new) twice("user", found->second);
        }
        for (const auto& host : client.hosts) {
            const auto other = settings_.clients.line_of_host(host.name);
            const auto [found, is_new] = hosts.try_emplace(host.name, client.line);
            if (other || !is_new) twice("host", other.value_or(found->second));
        }
    }
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
    if (!host) return;
    if (are_swapped(key, *host))
        return context_.error(key_at, "host and key stand in the wrong order",
                              "the key comes first: \"key\" = \"host.example.org\"");
    const auto clash = settings_.clients.add(key, *host, options, at.line);
    if (!clash) return;
    if (clash->kind == ClashKind::key) {
        return context_.error(
            key_at, fmt::format("this key is there twice (first in line {})", clash->line),
            "give each host a key of its own");
    }
    context_.error(at, fmt::format("this host is there twice (first in line {})", clash->line),
                   "keep one of them: a host has one key");
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

std::optional<dns::Name> TomlClients::host(std::string_view text, toml::source_position at) {
    constexpr const char* order = "the key comes first: \"key\" = \"host.example.org\"";
    if (is_address(text)) {
        context_.error(
            at, "this host is an address, and no name",
            "name the host that gets its client's address: \"key\" = \"host.example.org\"");
        return std::nullopt;
    }
    auto name = dns::Name::parse_host(text);
    if (name.has_error()) {
        context_.error(at, "this host is not a valid domain name: " + dns::fault_of_host(text),
                       order);
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
