#include "config/toml_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/number.hpp"
#include "base/secret.hpp"
#include "base/system_error.hpp"
#include "base/system_user.hpp"
#include "config/toml_clients.hpp"
#include "config/toml_fast_clients.hpp"
#include "config/toml_section.hpp"
#include "config/toml_syntax.hpp"
#include "dns/name_fault.hpp"

namespace sftdyn::config {
namespace {

/// As `parse_listen`; also the path may stand in a line of the log.
base::Result<Listen> listen_of(const std::string& text) {
    auto listen = parse_listen(text);
    if (listen.has_error()) return listen;
    if (has_control_characters(listen->path))
        return base::Error{"a socket's path has control characters in it", "",
                           "write it in one line"};
    return listen;
}

// Who was found is remembered: a directory service is asked by a Unix socket, and a confined
// process may connect to none. A reload runs on another thread than the start.
std::mutex accounts;

std::optional<gid_t> group_number(const std::string& name) {
    static std::map<std::string, gid_t> known;
    const std::lock_guard lock(accounts);
    if (const auto found = known.find(name); found != known.end()) return found->second;
    const auto entry = base::find_group(name);
    if (!entry) return std::nullopt;
    return known.emplace(name, entry->gid).first->second;
}

bool is_user(const std::string& name) {
    static std::set<std::string> known;
    const std::lock_guard lock(accounts);
    return known.contains(name) || (base::find_user(name) && known.insert(name).second);
}

void read_listen_table(TomlContext& context, const toml::table& table, const char* name,
                       std::vector<Listen>& target) {
    TomlSection section(context, table, name);
    const std::size_t before = context.found.size();
    Listen listen;
    bool there = false;
    section.text("listen", "PORT, IP4:PORT, [IP6]:PORT or unix:PATH as a string",
                 [&](const std::string& value) -> base::Result<void> {
                     const auto parsed = listen_of(value);
                     if (parsed.has_error()) return parsed.error();
                     listen = *parsed;
                     there = true;
                     return {};
                 });
    section.flag("proxy_protocol", listen.proxy_protocol);
    section.text("mode", "a file mode as an octal string: \"0660\"",
                 [&](const std::string& value) -> base::Result<void> {
                     const auto mode = base::parse_number<unsigned>(value, 8);
                     if (!mode || *mode > 0777)
                         return base::Error{"mode is no file mode", "",
                                            "expected octal digits as a string: \"0660\""};
                     listen.mode = *mode;
                     return {};
                 });
    section.text("group", "the name of a group",
                 [&](const std::string& value) -> base::Result<void> {
                     const auto found = group_number(value);
                     if (!found)
                         return base::Error{"there is no group of this name", "",
                                            "name a group of this machine (getent group)"};
                     listen.gid = *found;
                     return {};
                 });
    if (table.get("listen") == nullptr)
        context.complain(table.source(), fmt::format("{} has no listen", name),
                         "add listen = \"8080\"");
    section.reject_unknown();
    if (there && listen.path.empty() && (table.contains("mode") || table.contains("group")))
        context.complain(table.source(), "mode and group are for Unix sockets only",
                         "leave them out");
    if (context.found.size() == before) target.push_back(listen);
}

void read_listens(TomlContext& context, TomlSection& section, const char* name,
                  std::vector<Listen>& target) {
    const toml::node* node = section.take(name);
    if (node == nullptr) return;
    target.clear();
    one_or_many(*node, [&](const toml::node& item) {
        std::string text;
        if (const auto* table = item.as_table())
            return read_listen_table(context, *table, name, target);
        if (const auto port = item.value_exact<std::int64_t>()) {
            text = std::to_string(*port);
        } else if (const auto value = item.value_exact<std::string>()) {
            text = *value;
        } else {
            return section.wrong_type(
                item, name,
                "PORT, \"IP4:PORT\", \"[IP6]:PORT\" or \"unix:PATH\", or a list of them");
        }
        const auto listen = listen_of(text);
        if (listen.has_error())
            return context.complain(item.source(), listen.error().what, listen.error().mend);
        target.push_back(*listen);
    });
}

/// What [dns] and [[zone]] have in common.
void read_zone_settings(TomlContext& context, TomlSection& section, ZoneSettings& zone) {
    for (const char* key : {"server", "servers"}) {
        const toml::node* node = section.take(key);
        if (node == nullptr) continue;
        if (!zone.servers.empty()) {
            context.complain(node->source(), "both server and servers are given",
                             "keep one of them");
            continue;
        }
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return section.wrong_type(item, key,
                                          "an IP address as a string, with a port if it is not 53");
            const auto server = parse_server(*text);
            if (server.has_error())
                return context.complain(item.source(), "this is no server address",
                                        server.error().mend);
            zone.servers.push_back(*server);
        });
    }
    section.integer("ttl", 0, largest_ttl, zone.ttl);
    section.flag("tcp", zone.tcp);
}

void read_zone_name(TomlSection& section, std::string_view key, ZoneSettings& zone) {
    section.text(key, "the name of a zone", [&](const std::string& value) -> base::Result<void> {
        auto name = dns::Name::parse(value);
        if (name.has_error())
            return base::Error{"this zone is not a valid domain name: " + dns::fault_of_name(value),
                               "", "write it as dyn.example.org"};
        zone.zone = std::move(*name);
        return {};
    });
}

void read_dns(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, "[dns]");
    read_zone_settings(context, section, settings.dns);
    read_zone_name(section, "zone", settings.dns);
    section.seconds("timeout", 0.1, 60, settings.timeout);
    section.seconds("verify_interval", 0, 86400, settings.verify_interval);
    section.integer("batch", 1, 5000, settings.batch);
    section.integer("queue", 1, 10'000'000, settings.queue);
    section.integer("updates_in_flight", 1, 64, settings.updates_in_flight);
    section.integer("queries_in_flight", 1, 10'000, settings.queries_in_flight);
    section.reject_unknown();
}

void read_zones(TomlContext& context, TomlSection& root, Settings& settings) {
    const toml::node* node = root.take("zone");
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return root.wrong_type(*node, "zone", "tables: [[zone]]");
    for (const auto& item : *list) {
        const toml::table* table = item.as_table();
        if (table == nullptr) {
            root.wrong_type(item, "zone", "a table: [[zone]]");
            continue;
        }
        TomlSection section(context, *table, "[[zone]]");
        ZoneSettings zone;
        read_zone_name(section, "name", zone);
        read_zone_settings(context, section, zone);
        section.path("nskeyfile", zone.key_file);
        section.reject_unknown();
        if (!zone.zone) {
            if (table->get("name") == nullptr)
                context.complain(table->source(), "a [[zone]] has no name",
                                 "add name = \"dyn.example.org\"");
            continue;
        }
        const auto twin = std::find_if(settings.zones.begin(), settings.zones.end(),
                                       [&](const auto& other) { return other.zone == zone.zone; });
        if (twin != settings.zones.end())
            context.complain(table->source(), "this zone is there twice", "keep one of them");
        settings.zones.push_back(std::move(zone));
    }
}

void read_limits(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, "[limits]");
    section.integer("changes", 0, 1'000'000, settings.changes);
    section.seconds("changes_refill", 0.001, 86400, settings.changes_refill);
    section.integer("threads", 0, 256, settings.threads);
    section.seconds("header_time", 0.1, 3600, settings.header_time);
    section.seconds("idle_time", 0.1, 86400, settings.idle_time);
    section.seconds("write_time", 0.1, 3600, settings.write_time);
    section.seconds("handshake_time", 0.1, 3600, settings.handshake_time);
    section.integer("header_size", 256, 1 << 20, settings.header_size);
    section.integer("body_size", 0, 1 << 20, settings.body_size);
    section.integer("connections", 1, 1'000'000, settings.connections);
    section.integer("connections_per_client", 1, 1'000'000, settings.connections_per_client);
    section.integer("requests_per_connection", 1, 1'000'000'000, settings.requests_per_connection);
    section.integer("bad_keys", 0, 1'000'000, settings.bad_keys);
    section.seconds("bad_keys_refill", 0.001, 86400, settings.bad_keys_refill);
    section.reject_unknown();
}

void read_proxies(TomlContext& context, TomlSection& section, Settings& settings) {
    const toml::node* node = section.take("trusted_proxies");
    if (node != nullptr) {
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return section.wrong_type(item, "trusted_proxies",
                                          "addresses or CIDR blocks as strings");
            const auto network = base::Network::parse(*text);
            if (network.has_error())
                return context.complain(item.source(), "this is no network", network.error().mend);
            settings.trusted_proxies.push_back(*network);
        });
    }
    section.text("proxy_header", "the name of a header field",
                 [&](const std::string& value) -> base::Result<void> {
                     if (value == "X-Forwarded-For") {
                         settings.proxy_header = Settings::ProxyHeader::x_forwarded_for;
                     } else if (value == "Forwarded") {
                         settings.proxy_header = Settings::ProxyHeader::forwarded;
                     } else if (value == "X-Real-IP") {
                         settings.proxy_header = Settings::ProxyHeader::x_real_ip;
                     } else {
                         return base::Error{
                             "proxy_header is no field that sftdyn knows", "",
                             "expected \"X-Forwarded-For\", \"Forwarded\" or \"X-Real-IP\""};
                     }
                     return {};
                 });
}

void read_addresses(TomlContext& context, const toml::table& table, base::AddressRules& rules) {
    TomlSection section(context, table, "[addresses]");
    const auto list = [&](const char* name, std::vector<base::Network>& target) {
        const toml::node* node = section.take(name);
        if (node == nullptr) return;
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return section.wrong_type(item, name,
                                          "networks as strings: \"192.168.0.0/16\", \"private\"");
            const auto networks = base::parse_networks(*text);
            if (networks.has_error())
                return context.complain(item.source(), networks.error().what,
                                        networks.error().mend);
            target.insert(target.end(), networks->begin(), networks->end());
        });
    };
    list("allow", rules.allow);
    list("deny", rules.deny);
    section.reject_unknown();
}

void read_certificates(TomlContext& context, TomlSection& root, Settings& settings) {
    const toml::node* node = root.take("certificate");
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return root.wrong_type(*node, "certificate", "tables: [[certificate]]");
    for (const auto& item : *list) {
        const toml::table* table = item.as_table();
        if (table == nullptr) {
            root.wrong_type(item, "certificate", "a table: [[certificate]]");
            continue;
        }
        TomlSection section(context, *table, "[[certificate]]");
        std::optional<std::string> cert, key;
        section.path("cert", cert);
        section.path("key", key);
        section.reject_unknown();
        if (cert && key) {
            settings.certificates.push_back({*cert, *key});
        } else if (table->get(cert ? "key" : "cert") == nullptr) {
            context.complain(table->source(),
                             fmt::format("a [[certificate]] has no {}", cert ? "key" : "cert"),
                             "it takes both cert and key");
        }
    }
}

void read_process(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, "[process]");
    section.text("user", "the name of a user", [&](const std::string& value) -> base::Result<void> {
        if (!is_user(value))
            return base::Error{"there is no user of this name", "",
                               "name a user of this machine (getent passwd)"};
        settings.user = value;
        return {};
    });
    section.flag("seccomp", settings.seccomp);
    section.flag("landlock", settings.landlock);
    section.reject_unknown();
}

void read_command(TomlContext& context, TomlSection& section, std::vector<std::string>& target) {
    const toml::node* node = section.take("hook");
    if (node == nullptr) return;
    const toml::array* words = node->as_array();
    const auto is_text = [](const toml::node& word) { return word.is_string(); };
    if (words == nullptr || words->empty() || !std::all_of(words->begin(), words->end(), is_text))
        return section.wrong_type(
            *node, "hook",
            "a command with its arguments: [\"/usr/local/bin/notify\", \"argument\"]");
    for (const auto& word : *words) target.push_back(*word.value_exact<std::string>());
    if (!target.front().starts_with('/') || has_control_characters(target.front()))
        context.complain(node->source(), "hook names no program",
                         "give its whole path: there is no shell to look for it");
}

void read_admin(TomlContext& context, const toml::table& table, Settings::Admin& admin) {
    TomlSection section(context, table, "[admin]");
    read_listens(context, section, "metrics", admin.metrics);
    section.path("control", admin.control);
    section.path("state", admin.state);
    section.seconds("stale_after", 0, 366 * 86400.0, admin.stale_after);
    read_command(context, section, admin.hook);
    section.integer("hooks_at_once", 1, 64, admin.hooks_at_once);
    section.seconds("hook_time", 0.1, 3600, admin.hook_time);
    section.reject_unknown();
}

void read_root(TomlContext& context, const toml::table& root, Settings& settings,
               const std::vector<ClientLine>& lines) {
    TomlSection section(context, root, "");
    read_listens(context, section, "http", settings.http);
    read_listens(context, section, "https", settings.https);
    read_proxies(context, section, settings);
    section.table("addresses", [&](const toml::table& table) {
        read_addresses(context, table, settings.addresses);
    });
    section.path("cert", settings.cert);
    section.path("key", settings.key);
    read_certificates(context, section, settings);
    section.path("nskeyfile", settings.dns.key_file);
    section.table("process",
                  [&](const toml::table& table) { read_process(context, table, settings); });
    section.table("admin",
                  [&](const toml::table& table) { read_admin(context, table, settings.admin); });
    section.table("dns", [&](const toml::table& table) { read_dns(context, table, settings); });
    read_zones(context, section, settings);
    section.table("limits",
                  [&](const toml::table& table) { read_limits(context, table, settings); });

    TomlClients clients(context, settings);
    std::size_t key_octets = 0, host_octets = 0;
    for (const auto& line : lines) {
        key_octets += line.key.size();
        host_octets +=
            line.host.size() + 2;  // the wire form has a length in front and the root behind
    }
    settings.clients.reserve(lines.size(), key_octets, host_octets);
    for (const auto& line : lines) clients.read(line);
    section.table("clients", [&](const toml::table& table) { clients.read(table); });
    clients.compare_named();
    section.text("uptodate", "the word that a client reads when its address was right already",
                 [&](const std::string& value) -> base::Result<void> {
                     const bool printable = std::all_of(
                         value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
                     if (value.empty() || value.size() > 100 || !printable)
                         return base::Error{
                             "uptodate is no word", "",
                             "expected up to 100 printable characters, for example \"OK\""};
                     settings.uptodate = value;
                     return {};
                 });
    section.reject_unknown();
}

}  // namespace

Complaints read_toml(std::string_view text, const std::string& path, Settings& settings) {
    TomlContext context(path);
    try {
        std::vector<ClientLine> lines;
        const std::string rest =
            take_client_lines(text, [&](const ClientLine& line) { lines.push_back(line); });
        const toml::table root = toml::parse(rest, path);
        read_root(context, root, settings, lines);
    } catch (const toml::parse_error& error) {
        const base::Error explained = explain_syntax(error);
        context.complain(error.source(), explained.what, explained.mend);
    }
    return context.complaints();
}

Complaints read_toml_file(const std::string& path, Settings& settings) {
    const auto unreadable = [&](const std::string& why) {
        return Complaints{{fmt::format("the configuration can't be read: {}", why), path,
                           "name the configuration file: sftdyn FILE"}};
    };
    std::error_code ignored;  // what can't be told about the file shows when it is read
    if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a folder");
    errno = 0;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return unreadable(base::system_error_text(errno));
    const std::streamoff size = std::max<std::streamoff>(file.tellg(), 0);
    std::string text(static_cast<std::size_t>(size), '\0');
    file.seekg(0);
    if (!file.read(text.data(), size)) return unreadable(base::system_error_text(errno));
    auto complaints = read_toml(text, path, settings);
    base::zeroize(text);
    return complaints;
}

}  // namespace sftdyn::config
