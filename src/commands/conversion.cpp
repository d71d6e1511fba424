// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/conversion.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/network.hpp"
#include "base/random.hpp"
#include "dns/nsupdate_script.hpp"

namespace sftdyn::commands {
namespace {

// Source addresses for test calls of the hooks (RFC 5737, RFC 3849).
const char* const sources[] = {"192.0.2.1", "2001:db8::1"};
constexpr const char* proxied = "198.51.100.7";
constexpr std::size_t most_tried = 1000;  // hosts for which nsupdatecommands is called

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string listen_text(const config::Listen& listen) {
    if (!listen.path.empty()) return "unix:" + listen.path;
    if (!listen.address) return std::to_string(listen.port);
    return base::endpoint_text(*listen.address, listen.port);
}

class Converter {
public:
    explicit Converter(const config::Loaded& loaded)
        : conf_(*loaded.python), settings_(loaded.settings), path_(loaded.conf) {}

    std::string toml() {
        for (auto& form : read(conf_.forms(), "the code of the hooks")) {
            if (form.front() == "goes on")
                lost_.emplace_back(
                    "the conf starts something that goes on beside its hooks (a thread, a timer, a "
                    "signal's handler)");
            std::string hook = form.front();
            forms_[hook] = std::move(form);
        }
        find_clients();
        look_at_get_ip();
        look_at_commands();
        for (const auto& setting :
             read(conf_.settings({"verbose", "quiet", "debug"}), "the options of the log"))
            warnings_.push_back(fmt::format(
                "{} is an option of the command line here: -v, -q or -d.", setting.name));
        write();
        return std::move(out_);
    }
    /// Sentences about what could not be converted.
    [[nodiscard]] const std::vector<std::string>& lost() const { return lost_; }

private:
    /// Adds to `lost_` a hook whose code has no known form.
    void say_own_code(const std::string& hook) {
        if (forms_[hook].size() < 2)
            lost_.push_back(fmt::format("{} has code of its own: compare what it does", hook));
    }

    struct ConvertedClient {
        std::string key, host;
        std::optional<std::uint32_t> ttl{};
    };

    /// The value of `result`. An error is added to `lost_`, and an empty value is returned.
    template <class T>
    T read(base::Result<T> result, std::string_view what) {
        if (result.has_value()) return std::move(*result);
        lost_.push_back(fmt::format("{} can't be read: {}", what, result.error().what));
        return {};
    }
    std::optional<std::vector<python::ConfClient>> read_table(const std::string& name) {
        return read(conf_.clients(name), name);
    }

    /// The result of get_host; empty: no host. Nothing: it failed.
    std::optional<std::string> host_of(std::string_view key) {
        const auto call = conf_.call(sources[0], no_fields_, key);
        const auto said = call->get_host(key);
        if (said.has_error()) return std::nullopt;
        return said->is_true ? said->text : std::string();
    }

    /// Whether get_host is a lookup in this table: it returns the table's host for each key, and no
    /// host for an unknown key.
    bool is_lookup_in(const std::vector<python::ConfClient>& table) {
        const auto unknown = host_of(base::random_hex(16));
        if (!unknown || !unknown->empty()) return false;
        return std::all_of(table.begin(), table.end(), [this](const python::ConfClient& client) {
            const auto* host = std::get_if<std::string>(&client.host.scalar);
            return host != nullptr && host_of(client.key.reveal()) == *host;
        });
    }

    /// Whether CLIENTS is empty, and get_host finds no host for an unknown key.
    bool has_no_clients() {
        const auto clients = read_table("CLIENTS");
        const auto unknown = host_of(base::random_hex(16));
        return clients && clients->empty() && unknown && unknown->empty();
    }

    void find_clients() {
        std::optional<std::string> name;
        if (!conf_.has_get_host()) {
            name = "CLIENTS";
        } else {
            for (const auto& other : read(conf_.tables(), "the dicts of the conf")) {
                const auto rows = read_table(other);
                if (rows && is_lookup_in(*rows)) name = other;
            }
            if (!name && has_no_clients()) {
                say_own_code("get_host");
                warnings_.emplace_back(
                    "CLIENTS is empty, and get_host knows no key that was made up: there are no "
                    "clients yet.");
                return;
            }
            if (!name) {
                lost_.emplace_back(
                    "get_host is not a look-up in a dict of the conf: its clients are not known "
                    "here");
                return;
            }
            warnings_.push_back(
                fmt::format("get_host was tried with every key: it looks them up in {}.", *name));
            say_own_code("get_host");
        }
        std::set<std::string> hosts;
        unsigned number = 0;
        for (const auto& client : read_table(*name).value_or(std::vector<python::ConfClient>())) {
            ++number;
            const auto host = dns::Name::parse_host(std::get<std::string>(client.host.scalar));
            if (host.has_error()) {
                lost_.push_back(fmt::format("the host of entry {} of {} is not a valid domain name",
                                            number, *name));
            } else if (!hosts.insert(host->text()).second) {
                lost_.push_back(
                    fmt::format("{} has several keys: a host has one key in TOML", host->text()));
            } else {
                clients_.push_back({std::string(client.key.reveal()), host->text()});
            }
        }
    }

    void look_at_get_ip() {
        if (!conf_.has_get_ip()) return;
        const python::HookForm& form = forms_["get_ip"];
        if (form.size() > 3 && form[1] == "proxies") return trust_proxies(form);
        const auto says = [this](const python::Fields& fields) {
            const auto call = conf_.call(sources[0], fields, "");
            const auto said = call->get_ip();
            return said.has_error() ? std::string() : said->text.value_or(std::string());
        };
        for (const char* field : {"X-Forwarded-For", "X-Real-IP"}) {
            if (says({{field, proxied}}) != proxied) continue;
            warnings_.push_back(
                fmt::format("get_ip takes the address from {}, whoever sends it. Here that is "
                            "believed of proxies only: name yours.",
                            field));
            root_ += fmt::format("proxy_header = \"{}\"\n", field);
            lost_.push_back(
                fmt::format("get_ip believes {} of everybody: name your proxies, trusted_proxies = "
                            "[\"127.0.0.1\", \"::1\"]",
                            field));
            return;
        }
        if (says({}) != sources[0]) {
            lost_.emplace_back("get_ip does something of its own with the address");
        } else {
            say_own_code("get_ip");
        }
    }

    /// `form`: "get_ip", "proxies", the header field, and the addresses that are trusted to set it.
    void trust_proxies(const python::HookForm& form) {
        std::vector<std::string> proxies;
        for (const auto& proxy : std::span(form).subspan(3)) proxies.push_back(toml_string(proxy));
        root_ += fmt::format("proxy_header = {}\ntrusted_proxies = [{}]\n", toml_string(form[2]),
                             fmt::join(proxies, ", "));
        warnings_.push_back(fmt::format("get_ip believes {} of {} alone, and so does this.",
                                        form[2], fmt::join(std::span(form).subspan(3), " and ")));
    }

    /// The TTL of a script that only deletes the address and adds the new one; nothing: the script
    /// does something else.
    std::optional<std::uint32_t> standard_ttl(const ConvertedClient& client, const char* source) {
        const auto call = conf_.call(source, no_fields_, client.key);
        static_cast<void>(call->get_ip());
        const auto lines = call->nsupdate_commands(client.host);
        if (lines.has_error()) return std::nullopt;
        const auto script = dns::parse_script(*lines, dns::Unsent::send);
        if (script.has_error() || script->messages.size() != 1) return std::nullopt;
        const auto change = dns::replacement_of(script->messages.front());
        const auto address = base::parse_address(source).value();
        const bool standard = change && change->owner.text() == client.host &&
                              change->type == dns::type_of(address) &&
                              change->rdata == dns::rdata_of(address);
        return standard ? std::optional(change->ttl) : std::nullopt;
    }

    void look_at_commands() {
        if (!conf_.has_nsupdate_commands()) return;
        std::map<std::uint32_t, std::size_t> ttls;
        // Without clients, a made-up client is tried.
        std::vector<ConvertedClient> made_up{{base::random_hex(16), "home.dyn.example.org"}};
        auto& clients = clients_.empty() ? made_up : clients_;
        const std::size_t tried = std::min(clients.size(), most_tried);
        for (ConvertedClient& client : std::span(clients).first(tried)) {
            const auto v4 = standard_ttl(client, sources[0]), v6 = standard_ttl(client, sources[1]);
            if (!v4 || v4 != v6) {
                lost_.push_back(
                    clients_.empty()
                        ? std::string("nsupdatecommands does more for a host that was made up than "
                                      "to replace its address")
                        : fmt::format("nsupdatecommands does more for {} than to replace its "
                                      "address",
                                      client.host));
                return;
            }
            client.ttl = v4;
            ++ttls[*v4];
        }
        const auto usual =
            std::max_element(ttls.begin(), ttls.end(), [](const auto& a, const auto& b) {
                return a.second < b.second;
            })->first;
        say_own_code("nsupdatecommands");
        warnings_.push_back(
            fmt::format("nsupdatecommands was tried with {}: it replaces the address, as sftdyn "
                        "itself does.",
                        clients_.empty() ? std::string("a host that was made up")
                                         : fmt::format("{} hosts", tried)));
        dns_ += fmt::format("ttl = {}\n", usual);
        for (ConvertedClient& client : clients_) {
            if (client.ttl == usual) client.ttl.reset();
        }
    }

    void write_listens(const char* name, const std::vector<config::Listen>& listens) {
        if (listens.empty()) return;
        std::vector<std::string> texts;
        for (const auto& listen : listens) texts.push_back(toml_string(listen_text(listen)));
        out_ += texts.size() == 1 ? fmt::format("{} = {}\n", name, texts[0])
                                  : fmt::format("{} = [{}]\n", name, fmt::join(texts, ", "));
    }

    void write_path(const char* name, const std::optional<std::string>& path) {
        if (path)
            out_ += fmt::format(
                "{} = {}\n", name,
                toml_string(std::filesystem::absolute(*path).lexically_normal().string()));
    }

    void write() {
        out_ = fmt::format("# Made by `sftdyn convert` of {}.\n", path_);
        for (const auto& warning : warnings_) out_ += "# " + warning + '\n';
        for (const auto& lost : lost_) out_ += "# Not carried over: " + lost + '\n';
        out_ += '\n';
        write_listens("http", settings_.http);
        write_listens("https", settings_.https);
        write_path("cert", settings_.cert);
        write_path("key", settings_.key);
        write_path("nskeyfile", settings_.dns.key_file);
        out_ += root_;
        if (!dns_.empty()) out_ += "\n[dns]\n" + dns_;
        out_ += "\n[clients]\n";
        for (const auto& client : clients_) {
            out_ += toml_string(client.key) + " = ";
            out_ += client.ttl ? fmt::format("{{ host = {}, ttl = {} }}\n",
                                             toml_string(client.host), *client.ttl)
                               : toml_string(client.host) + '\n';
        }
    }

    const python::Conf& conf_;
    const config::Settings& settings_;
    const std::string& path_;
    const python::Fields no_fields_{};
    std::vector<ConvertedClient> clients_{};
    std::vector<std::string> warnings_{}, lost_{};
    std::map<std::string, python::HookForm> forms_{};  ///< by hook
    std::string root_{}, dns_{}, out_{};
};

}  // namespace

Conversion convert(const config::Loaded& loaded) {
    Converter converter(loaded);
    std::string toml = converter.toml();
    return {std::move(toml), converter.lost()};
}

}  // namespace sftdyn::commands
