#include "config/toml_file.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/secret.hpp"
#include "config/client_lines.hpp"

namespace sftdyn::config {
namespace {

constexpr std::int64_t largest_ttl = 0x7fffffff;  // RFC 2181 §8

/// What a reader of one file shares.
struct Context {
    explicit Context(std::string file) : path(std::move(file)) {}

    void complain(const toml::source_position& at, std::string what, std::string mend) {
        found.push_back({at, {std::move(what), fmt::format("{}:{}:{}", path, at.line, at.column), std::move(mend)}});
    }
    void complain(const toml::source_region& at, std::string what, std::string mend) { complain(at.begin, std::move(what), std::move(mend)); }

    /// In the file's order, whatever the order they were found in.
    [[nodiscard]] Complaints complaints() {
        std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
        Complaints out;
        for (auto& one : found) out.push_back(std::move(one.error));
        return out;
    }
    /// A file that the configuration names: relative to itself, or one that systemd hands over (systemd.exec(5),
    /// LoadCredential=).
    [[nodiscard]] std::string relative(const std::string& file) const {
        constexpr std::string_view credential = "credential:";
        if (!file.starts_with(credential)) return (std::filesystem::path(path).parent_path() / file).string();
        const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
        // By hand, root finds there what the running service was given.
        return (std::filesystem::path(folder != nullptr ? folder : "/run/credentials/sftdyn.service") / file.substr(credential.size())).string();
    }

    struct Found {
        toml::source_position at;
        base::Error error;
    };
    std::string path;
    std::vector<Found> found{};
};

template <class T>
struct Plain {
    using Type = T;
};
template <class T>
struct Plain<std::optional<T>> {
    using Type = T;
};

/// Takes settings out of a table one by one, and complains of those that nobody took.
class Section {
public:
    Section(Context& context, const toml::table& table, std::string name) : context_(context), table_(table), name_(std::move(name)) {}

    const toml::node* take(std::string_view key) {
        known_.emplace_back(key);
        return table_.get(key);
    }

    void text(std::string_view key, const char* expected, const std::function<base::Result<void>(const std::string&)>& use) {
        const toml::node* node = take(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::string>();
        if (!value) return wrong_type(*node, key, expected);
        const auto result = use(*value);
        if (result.has_error()) context_.complain(node->source(), result.error().what, result.error().mend);
    }

    template <class T>
    void integer(std::string_view key, std::int64_t least, std::int64_t most, T& target) {
        const toml::node* node = take(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::int64_t>();
        if (!value) return wrong_type(*node, key, fmt::format("a whole number from {} to {}", least, most));
        if (*value < least || *value > most) return out_of_range(*node, key, fmt::format("a whole number from {} to {}", least, most));
        target = static_cast<typename Plain<T>::Type>(*value);
    }

    void seconds(std::string_view key, double least, double most, std::chrono::milliseconds& target) {
        const toml::node* node = take(key);
        if (node == nullptr) return;
        const auto value = node->value<double>();
        const auto expected = fmt::format("seconds, from {} to {}", least, most);
        if (!value || node->is_boolean()) return wrong_type(*node, key, expected);
        if (!(*value >= least && *value <= most)) return out_of_range(*node, key, expected);
        target = std::chrono::milliseconds(std::llround(*value * 1000));
    }

    void flag(std::string_view key, bool& target) {
        const toml::node* node = take(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<bool>();
        if (!value) return wrong_type(*node, key, "true or false");
        target = *value;
    }

    /// Calls `use` for the table of that name.
    void table(std::string_view key, const std::function<void(const toml::table&)>& use) {
        const toml::node* node = take(key);
        if (node == nullptr) return;
        if (!node->is_table()) return wrong_type(*node, key, fmt::format("a table: [{}]", key));
        use(*node->as_table());
    }

    /// To be called last.
    void reject_unknown() {
        for (const auto& [key, node] : table_) {
            if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
            context_.complain(key.source(), fmt::format("unknown setting \"{}\"{}", key.str(), name_.empty() ? "" : " in " + name_),
                              fmt::format("known here: {}", fmt::join(known_, ", ")));
        }
    }

    void wrong_type(const toml::node& node, std::string_view key, std::string_view expected) {
        std::ostringstream type;
        type << node.type();
        context_.complain(node.source(), fmt::format("{} is of the wrong type ({})", key, type.str()), fmt::format("expected {}", expected));
    }

private:
    void out_of_range(const toml::node& node, std::string_view key, std::string_view expected) {
        context_.complain(node.source(), fmt::format("{} is out of range", key), fmt::format("expected {}", expected));
    }

    Context& context_;
    const toml::table& table_;
    std::string name_;
    std::vector<std::string> known_;
};

/// A value or a list of values; `use` gets each.
void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use) {
    if (const auto* list = node.as_array()) {
        for (const auto& item : *list) use(item);
    } else {
        use(node);
    }
}

void read_listen_table(Context& context, const toml::table& table, const char* name, std::vector<Listen>& target) {
    Section section(context, table, name);
    const std::size_t before = context.found.size();
    Listen listen;
    bool there = false;
    section.text("listen", "PORT, IP4:PORT, [IP6]:PORT or unix:PATH as a string", [&](const std::string& value) -> base::Result<void> {
        const auto parsed = parse_listen(value);
        if (parsed.has_error()) return parsed.error();
        listen = *parsed;
        there = true;
        return {};
    });
    section.flag("proxy_protocol", listen.proxy_protocol);
    section.text("mode", "a file mode as an octal string: \"0660\"", [&](const std::string& value) -> base::Result<void> {
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), listen.mode, 8);
        if (error != std::errc() || end != value.data() + value.size() || listen.mode > 0777)
            return base::Error{"mode is no file mode", "", "expected octal digits as a string: \"0660\""};
        return {};
    });
    section.text("group", "the name of a group", [&](const std::string& value) -> base::Result<void> {
        const group* found = getgrnam(value.c_str());
        if (found == nullptr) return base::Error{fmt::format("there is no group \"{}\"", value), "", "name a group of this machine (getent group)"};
        listen.gid = found->gr_gid;
        return {};
    });
    if (table.get("listen") == nullptr) context.complain(table.source(), fmt::format("{} has no listen", name), "add listen = \"8080\"");
    section.reject_unknown();
    if (there && listen.path.empty() && (table.contains("mode") || table.contains("group")))
        context.complain(table.source(), "mode and group are for Unix sockets only", "leave them out");
    if (context.found.size() == before) target.push_back(listen);
}

void read_listens(Context& context, Section& section, const char* name, std::vector<Listen>& target) {
    const toml::node* node = section.take(name);
    if (node == nullptr) return;
    target.clear();
    one_or_many(*node, [&](const toml::node& item) {
        std::string text;
        if (const auto* table = item.as_table()) return read_listen_table(context, *table, name, target);
        if (const auto port = item.value_exact<std::int64_t>()) {
            text = std::to_string(*port);
        } else if (const auto value = item.value_exact<std::string>()) {
            text = *value;
        } else {
            return section.wrong_type(item, name, "PORT, \"IP4:PORT\", \"[IP6]:PORT\" or \"unix:PATH\", or a list of them");
        }
        const auto listen = parse_listen(text);
        if (listen.has_error()) return context.complain(item.source(), listen.error().what, listen.error().mend);
        target.push_back(*listen);
    });
}

/// What [dns] and [[zone]] have in common.
void read_zone_settings(Context& context, Section& section, ZoneSettings& zone) {
    for (const char* key : {"server", "servers"}) {
        const toml::node* node = section.take(key);
        if (node == nullptr) continue;
        if (!zone.servers.empty()) {
            context.complain(node->source(), "both server and servers are given", "keep one of them");
            continue;
        }
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text) return section.wrong_type(item, key, "an IP address as a string, with a port if it is not 53");
            const auto server = parse_server(*text);
            if (server.has_error()) return context.complain(item.source(), server.error().what, server.error().mend);
            zone.servers.push_back(*server);
        });
    }
    section.integer("ttl", 0, largest_ttl, zone.ttl);
    section.flag("tcp", zone.tcp);
}

void read_path(Context& context, Section& section, const char* name, std::optional<std::string>& target) {
    section.text(name, "the path of a file", [&](const std::string& value) -> base::Result<void> {
        if (value.empty()) return base::Error{fmt::format("{} is empty", name), "", "name the file, or leave the line out"};
        target = context.relative(value);
        return {};
    });
}

void read_zone_name(Section& section, std::string_view key, ZoneSettings& zone) {
    section.text(key, "the name of a zone", [&](const std::string& value) -> base::Result<void> {
        auto name = dns::Name::parse(value);
        if (name.has_error()) return name.error();
        zone.zone = std::move(*name);
        return {};
    });
}

void read_dns(Context& context, const toml::table& table, Settings& settings) {
    Section section(context, table, "[dns]");
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

void read_zones(Context& context, Section& root, Settings& settings) {
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
        Section section(context, *table, "[[zone]]");
        ZoneSettings zone;
        read_zone_name(section, "name", zone);
        read_zone_settings(context, section, zone);
        read_path(context, section, "nskeyfile", zone.key_file);
        section.reject_unknown();
        if (!zone.zone) {
            if (table->get("name") == nullptr) context.complain(table->source(), "a [[zone]] has no name", "add name = \"dyn.example.org\"");
            continue;
        }
        const auto twin = std::find_if(settings.zones.begin(), settings.zones.end(), [&](const auto& other) { return other.zone == zone.zone; });
        if (twin != settings.zones.end())
            context.complain(table->source(), fmt::format("the zone {} is there twice", zone.zone->text()), "keep one of them");
        settings.zones.push_back(std::move(zone));
    }
}

void read_limits(Context& context, const toml::table& table, Settings& settings) {
    Section section(context, table, "[limits]");
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

class Clients {
public:
    Clients(Context& context, Settings& settings) : context_(context), settings_(settings) {}

    void read(const toml::table& table) {
        for (const auto& [key, node] : table) read_one(key, node);
    }
    void read(const ClientLine& line) {
        const toml::source_position at{line.line, line.host_column};
        const auto name = host(line.host, at);
        add(line.key, {line.line, line.key_column}, name, at, {});
    }

private:
    void read_one(const toml::key& key, const toml::node& node) {
        ClientList::Options options;
        if (const auto short_form = node.value_exact<std::string>()) {
            add(key.str(), key.source().begin, host(*short_form, node.source().begin), node.source().begin, options);
        } else if (const auto* table = node.as_table(); table != nullptr && is_named(*table)) {
            named(key, *table);
        } else if (table != nullptr) {
            const auto name = long_form(*table, options);
            add(key.str(), key.source().begin, name, node.source().begin, options);
        } else {
            // The key is a secret; its place says which one it is.
            context_.complain(node.source(), "a client's value is of the wrong type",
                              "expected \"key\" = \"host.example.org\" or \"key\" = { host = \"host.example.org\", ttl = 60 }");
        }
    }

    /// Whether the table's name is a client's, and not its key.
    static bool is_named(const toml::table& table) {
        for (const char* key : {"key", "user", "password", "password_hash", "hosts"}) {
            if (table.contains(key)) return true;
        }
        return false;
    }

    void named(const toml::key& name, const toml::table& table) {
        Section section(context_, table, "a client");
        const std::size_t before = context_.found.size();
        NamedClient client;
        client.name = name.str();
        client.line = name.source().begin.line;
        section.text("key", "the secret of its URL, as a string", [&](const std::string& value) -> base::Result<void> {
            if (value.empty() || value.starts_with('/'))
                return base::Error{value.empty() ? "a client's key is empty" : "a client's key begins with a slash", "",
                                   "give it a long random key, for example from: openssl rand -hex 16"};
            client.key = base::Secret(value);
            return {};
        });
        section.text("user", "the user's name for dyndns2", [&](const std::string& value) -> base::Result<void> {
            if (value.empty() || value.find(':') != std::string::npos)
                return base::Error{"user is empty, or has a colon in it", "", "HTTP has no way to send such a name"};
            client.user = value;
            return {};
        });
        section.text("password", "a password as a string", [&](const std::string& value) -> base::Result<void> {
            if (value.empty()) return base::Error{"password is empty", "", "give it a long random one, for example from: openssl rand -hex 16"};
            client.password = base::Secret(value);
            return {};
        });
        section.text("password_hash", "the hash of a password, from: sftdyn password", [&](const std::string& value) -> base::Result<void> {
            client.password_hash = value;
            return {};
        });
        client.may_set_address = client.user.has_value();
        section.flag("may_set_address", client.may_set_address);
        read_hosts(section, table, client);
        section.reject_unknown();
        if (context_.found.size() != before) return;
        if (!client.key && !client.user) return context_.complain(table.source(), "a client has neither key nor user", "add one of them, or both");
        const bool has_password = !client.password.empty(), has_hash = !client.password_hash.empty();
        if (client.user && has_password == has_hash)
            return context_.complain(table.source(),
                                     has_hash ? "a client has both password and password_hash" : "a client has a user, but no password",
                                     "give it one of password and password_hash");
        if (!client.user && (has_password || has_hash))
            return context_.complain(table.source(), "a client has a password, but no user", "add user = \"…\"");
        if (client.hosts.empty()) return context_.complain(table.source(), "a client has no hosts", "add hosts = [\"host.example.org\"]");
        settings_.named_clients.push_back(std::move(client));
    }

    void read_hosts(Section& section, const toml::table& table, NamedClient& client) {
        // `host` with its options in the client's own table, or `hosts` with names and tables.
        const toml::node* one = section.take("host");
        const toml::node* many = section.take("hosts");
        if (one != nullptr && many != nullptr) return context_.complain(many->source(), "both host and hosts are given", "keep one of them");
        if (one != nullptr) return read_host(section, table, one, client);
        for (const char* own : {"ttl", "ptr", "ipv6_suffix", "ipv6_subnet"}) {
            if (const toml::node* node = section.take(own))
                context_.complain(node->source(), fmt::format("{} belongs to one host", own),
                                  "write it there: hosts = [{ host = \"host.example.org\", ttl = 60 }]");
        }
        if (many == nullptr) return;
        one_or_many(*many, [&](const toml::node& node) {
            if (const auto* host_table = node.as_table()) {
                Section host_section(context_, *host_table, "a host");
                read_host(host_section, *host_table, host_section.take("host"), client);
                host_section.reject_unknown();
                return;
            }
            const auto text = node.value_exact<std::string>();
            if (!text) return section.wrong_type(node, "hosts", "names, or tables: { host = \"host.example.org\", ttl = 60 }");
            if (auto name = host(*text, node.source().begin)) client.hosts.push_back({std::move(*name)});
        });
    }

    void read_host(Section& section, const toml::table& table, const toml::node* node, NamedClient& client) {
        NamedClient::Host out;
        section.integer("ttl", 0, largest_ttl, out.ttl);
        section.flag("ptr", out.reverse);
        section.text("ipv6_suffix", "an IPv6 address with 64 zero bits in front", [&](const std::string& value) -> base::Result<void> {
            boost::system::error_code error;
            const auto address = boost::asio::ip::make_address_v6(value, error);
            const auto bytes = address.to_bytes();
            if (error || std::any_of(bytes.begin(), bytes.begin() + 8, [](unsigned char c) { return c != 0; }))
                return base::Error{"ipv6_suffix is no suffix of 64 bits", "", "expected the host's part of its address: \"::1234:5678:9abc:def0\""};
            out.ipv6_suffix = address;
            return {};
        });
        section.integer("ipv6_subnet", 0, std::numeric_limits<std::int64_t>::max(), out.ipv6_subnet);
        if (out.ipv6_subnet != 0 && !out.ipv6_suffix) context_.complain(table.source(), "ipv6_subnet without ipv6_suffix", "give both, or neither");
        const auto text = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
        if (!text)
            return context_.complain(node != nullptr ? node->source() : table.source(), "a client has no host",
                                     "expected { host = \"host.example.org\" }");
        auto name = host(*text, node->source().begin);
        if (!name) return;
        out.name = std::move(*name);
        client.hosts.push_back(std::move(out));
    }

public:
    /// Complains of keys, users and hosts that several clients have; to be called last.
    void compare_named() {
        std::map<std::string_view, std::uint32_t> keys, users;
        std::map<dns::Name, std::uint32_t> hosts;
        for (const auto& client : settings_.named_clients) {
            const toml::source_position at{client.line, 1};
            const auto twice = [&](const std::string& what, std::uint32_t line) {
                context_.complain(at, fmt::format("{} is there twice (first in line {})", what, line), "keep one of them");
            };
            if (client.key) {
                const auto other = settings_.clients.line_of_key(client.key->reveal());
                const auto [found, is_new] = keys.try_emplace(client.key->reveal(), client.line);
                if (other || !is_new) twice("the key of " + client.name, other.value_or(found->second));
            }
            if (client.user) {
                const auto [found, is_new] = users.try_emplace(*client.user, client.line);
                if (!is_new) twice("the user " + *client.user, found->second);
            }
            for (const auto& one : client.hosts) {
                const auto other = settings_.clients.line_of_host(one.name);
                const auto [found, is_new] = hosts.try_emplace(one.name, client.line);
                if (other || !is_new) twice("the host " + one.name.text(), other.value_or(found->second));
            }
        }
    }

private:
    /// `host` is absent where a complaint was made of it.
    void add(std::string_view key, toml::source_position key_at, const std::optional<dns::Name>& host, toml::source_position at,
             const ClientList::Options& options) {
        if (key.empty())
            return context_.complain(key_at, "a client's key is empty", "give it a long random key, for example from: openssl rand -hex 16");
        if (key.starts_with('/'))
            return context_.complain(key_at, "a client's key begins with a slash", "leave it out: leading slashes are not part of the key");
        if (!host) return;
        const auto clash = settings_.clients.add(key, *host, options, at.line);
        if (!clash) return;
        if (clash->kind == ClientList::Clash::Kind::key) {
            return context_.complain(key_at, fmt::format("this key is there twice (first in line {})", clash->line),
                                     "give each host a key of its own");
        }
        context_.complain(at, fmt::format("the host {} is there twice (first in line {})", host->text(), clash->line),
                          "keep one of them: a host has one key");
    }

    std::optional<dns::Name> long_form(const toml::table& table, ClientList::Options& options) {
        Section section(context_, table, "a client");
        const std::size_t before = context_.found.size();
        const toml::node* node = section.take("host");
        const auto text = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
        std::optional<dns::Name> name;
        if (text) {
            name = host(*text, node->source().begin);
        } else {
            context_.complain(node != nullptr ? node->source() : table.source(), "a client has no host", "expected { host = \"host.example.org\" }");
        }
        section.integer("ttl", 0, largest_ttl, options.ttl);
        section.flag("ptr", options.reverse);
        section.reject_unknown();
        return context_.found.size() == before ? name : std::nullopt;
    }

    std::optional<dns::Name> host(std::string_view text, toml::source_position at) {
        auto name = dns::Name::parse_host(text);
        if (name.has_error()) {
            context_.complain(at, name.error().what, name.error().mend);
            return std::nullopt;
        }
        const auto& zone = zone_for(settings_, *name).zone;
        if (zone && !name->is_within(*zone)) {
            context_.complain(at, fmt::format("the host {} is not in the zone {}", name->text(), zone->text()),
                              "correct one of them, or add a [[zone]] for this host");
            return std::nullopt;
        }
        return std::move(*name);
    }

    Context& context_;
    Settings& settings_;
};

void read_proxies(Context& context, Section& section, Settings& settings) {
    const toml::node* node = section.take("trusted_proxies");
    if (node != nullptr) {
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text) return section.wrong_type(item, "trusted_proxies", "addresses or CIDR blocks as strings");
            const auto network = base::Network::parse(*text);
            if (network.has_error()) return context.complain(item.source(), network.error().what, network.error().mend);
            settings.trusted_proxies.push_back(*network);
        });
    }
    section.text("proxy_header", "the name of a header field", [&](const std::string& value) -> base::Result<void> {
        if (value == "X-Forwarded-For") {
            settings.proxy_header = Settings::ProxyHeader::x_forwarded_for;
        } else if (value == "Forwarded") {
            settings.proxy_header = Settings::ProxyHeader::forwarded;
        } else if (value == "X-Real-IP") {
            settings.proxy_header = Settings::ProxyHeader::x_real_ip;
        } else {
            return base::Error{"proxy_header is no field that sftdyn knows", "", "expected \"X-Forwarded-For\", \"Forwarded\" or \"X-Real-IP\""};
        }
        return {};
    });
}

void read_certificates(Context& context, Section& root, Settings& settings) {
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
        Section section(context, *table, "[[certificate]]");
        std::optional<std::string> cert, key;
        read_path(context, section, "cert", cert);
        read_path(context, section, "key", key);
        section.reject_unknown();
        if (cert && key) {
            settings.certificates.push_back({*cert, *key});
        } else if (table->get(cert ? "key" : "cert") == nullptr) {
            context.complain(table->source(), fmt::format("a [[certificate]] has no {}", cert ? "key" : "cert"), "it takes both cert and key");
        }
    }
}

void read_process(Context& context, const toml::table& table, Settings& settings) {
    Section section(context, table, "[process]");
    section.text("user", "the name of a user", [&](const std::string& value) -> base::Result<void> {
        if (getpwnam(value.c_str()) == nullptr)
            return base::Error{fmt::format("there is no user \"{}\"", value), "", "name a user of this machine (getent passwd)"};
        settings.user = value;
        return {};
    });
    section.flag("seccomp", settings.seccomp);
    section.flag("landlock", settings.landlock);
    section.reject_unknown();
}

void read_command(Context& context, Section& section, std::vector<std::string>& target) {
    const toml::node* node = section.take("hook");
    if (node == nullptr) return;
    const toml::array* words = node->as_array();
    const auto is_text = [](const toml::node& word) { return word.is_string(); };
    if (words == nullptr || words->empty() || !std::all_of(words->begin(), words->end(), is_text))
        return section.wrong_type(*node, "hook", "a command with its arguments: [\"/usr/local/bin/notify\", \"argument\"]");
    for (const auto& word : *words) target.push_back(*word.value_exact<std::string>());
    if (!target.front().starts_with('/'))
        context.complain(node->source(), "hook names no program", "give its whole path: there is no shell to look for it");
}

void read_admin(Context& context, const toml::table& table, Settings::Admin& admin) {
    Section section(context, table, "[admin]");
    read_listens(context, section, "metrics", admin.metrics);
    read_path(context, section, "control", admin.control);
    read_path(context, section, "state", admin.state);
    section.seconds("stale_after", 0, 366 * 86400.0, admin.stale_after);
    read_command(context, section, admin.hook);
    section.reject_unknown();
}

void read_root(Context& context, const toml::table& root, Settings& settings, const std::vector<ClientLine>& lines) {
    Section section(context, root, "");
    read_listens(context, section, "http", settings.http);
    read_listens(context, section, "https", settings.https);
    read_proxies(context, section, settings);
    read_path(context, section, "cert", settings.cert);
    read_path(context, section, "key", settings.key);
    read_certificates(context, section, settings);
    read_path(context, section, "nskeyfile", settings.dns.key_file);
    section.table("process", [&](const toml::table& table) { read_process(context, table, settings); });
    section.table("admin", [&](const toml::table& table) { read_admin(context, table, settings.admin); });
    section.table("dns", [&](const toml::table& table) { read_dns(context, table, settings); });
    read_zones(context, section, settings);
    section.table("limits", [&](const toml::table& table) { read_limits(context, table, settings); });

    Clients clients(context, settings);
    std::size_t key_octets = 0, host_octets = 0;
    for (const auto& line : lines) {
        key_octets += line.key.size();
        host_octets += line.host.size() + 2;  // the wire form has a length in front and the root behind
    }
    settings.clients.reserve(lines.size(), key_octets, host_octets);
    for (const auto& line : lines) clients.read(line);
    section.table("clients", [&](const toml::table& table) { clients.read(table); });
    clients.compare_named();
    section.text("uptodate", "the word that a client reads when its address was right already", [&](const std::string& value) -> base::Result<void> {
        const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
        if (value.empty() || value.size() > 100 || !printable)
            return base::Error{"uptodate is no word", "", "expected up to 100 printable characters, for example \"OK\""};
        settings.uptodate = value;
        return {};
    });
    section.reject_unknown();
}

}  // namespace

Complaints read_toml(std::string_view text, const std::string& path, Settings& settings) {
    Context context(path);
    try {
        std::vector<ClientLine> lines;
        const std::string rest = take_client_lines(text, [&](const ClientLine& line) { lines.push_back(line); });
        const toml::table root = toml::parse(rest, path);
        read_root(context, root, settings, lines);
    } catch (const toml::parse_error& error) {
        context.complain(error.source(), std::string(error.description()), "correct the syntax (https://toml.io)");
    }
    return context.complaints();
}

Complaints read_toml_file(const std::string& path, Settings& settings) {
    const auto unreadable = [&](const char* why) {
        return Complaints{{fmt::format("the configuration can't be read: {}", why), path, "name the configuration file: sftdyn FILE"}};
    };
    std::error_code ignored;  // what can't be told about the file shows when it is read
    if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a folder");
    errno = 0;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return unreadable(std::strerror(errno));
    const std::streamoff size = std::max<std::streamoff>(file.tellg(), 0);
    std::string text(static_cast<std::size_t>(size), '\0');
    file.seekg(0);
    if (!file.read(text.data(), size)) return unreadable(std::strerror(errno));
    auto complaints = read_toml(text, path, settings);
    base::wipe(text);
    return complaints;
}

}  // namespace sftdyn::config
