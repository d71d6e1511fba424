// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/python_conf.hpp"

#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/settings_schema.hpp"
#include "dns/name_fault.hpp"

namespace sftdyn::config {
namespace {

constexpr const char* clients_name = "CLIENTS";

/// Reads the conf's dicts of settings as the tables of a TOML file.
Diagnostics read_tables(const python::Conf& conf, const std::string& path, Settings& settings) {
    std::vector<std::pair<std::string, std::vector<std::string>>> known{{"trusted_proxies", {}},
                                                                        {"proxy_header", {}}};
    for (const auto& [name, section] :
         {std::pair("addresses", Section::addresses), std::pair("dns", Section::dns),
          std::pair("limits", Section::limits), std::pair("process", Section::process),
          std::pair("admin", Section::admin), std::pair("zone", Section::zone),
          std::pair("certificate", Section::certificate)}) {
        auto& names = known.emplace_back(name, std::vector<std::string>()).second;
        for (const Setting& setting : settings_of(section)) names.emplace_back(setting.name);
    }
    const auto toml = conf.settings_as_toml(known);
    if (toml.has_error()) return {toml.error()};
    if (toml->empty()) return {};
    auto diagnostics = read_toml(fmt::format("{}\n", fmt::join(*toml, "\n")), path, settings);
    for (auto& diagnostic : diagnostics)
        diagnostic.where = path;  // the line is one of the generated TOML
    for (auto& warning : settings.warnings) warning.where = path;
    return diagnostics;
}

class ConfReader {
public:
    ConfReader(const python::Conf& conf, const std::string& path, Settings& settings)
        : conf_(conf), path_(path), settings_(settings) {}

    Diagnostics read() {
        const std::map<std::string, void (ConfReader::*)(const python::ConfSetting&)> known{
            {"http", &ConfReader::listen},
            {"https", &ConfReader::listen},
            {"key", &ConfReader::file},
            {"cert", &ConfReader::file},
            {"nskeyfile", &ConfReader::file},
            {"verbose", &ConfReader::verbosity},
            {"quiet", &ConfReader::verbosity},
            {"debug", &ConfReader::debug},
            {"hook_threads", &ConfReader::hook_threads}};
        std::vector<std::string> names;
        for (const auto& [name, reader] : known) names.push_back(name);
        const auto settings = conf_.settings(names);
        if (settings.has_error()) {
            diagnostics_.push_back(settings.error());
        } else {
            for (const auto& setting : *settings) (this->*known.at(setting.name))(setting);
        }
        const auto clients = conf_.clients(clients_name);
        if (clients.has_error()) {
            diagnostics_.push_back(clients.error());
        } else {
            read_clients(*clients);
        }
        return std::move(diagnostics_);
    }

private:
    void error(unsigned line, std::string what, std::string remedy) {
        diagnostics_.push_back({std::move(what),
                                line == 0 ? path_ : fmt::format("{}:{}", path_, line),
                                std::move(remedy)});
    }
    void unexpected(const python::ConfSetting& setting, const std::string& type,
                    const char* expected) {
        error(setting.line, fmt::format("{} is {}", setting.name, type),
              fmt::format("expected {}", expected));
    }

    /// Whether the value switches the setting off: False or an empty text.
    static bool is_off(const python::Value& value) {
        const auto* flag = std::get_if<bool>(&value.scalar);
        const auto* text = std::get_if<std::string>(&value.scalar);
        return (flag != nullptr && !*flag) || (text != nullptr && text->empty());
    }

    void listen(const python::ConfSetting& setting) {
        auto& listens = setting.name == "http" ? settings_.http : settings_.https;
        for (const auto& value : setting.values) {
            if (is_off(value)) continue;
            const auto* text = std::get_if<std::string>(&value.scalar);
            const auto* port = std::get_if<std::int64_t>(&value.scalar);
            if (text == nullptr && port == nullptr) {
                unexpected(
                    setting, value.type,
                    "a port (8080), or a text: PORT, IP4:PORT or [IP6]:PORT; or a list of them");
                continue;
            }
            const auto parsed = parse_listen(text != nullptr ? *text : std::to_string(*port));
            if (parsed.has_error()) {
                // A text is not quoted, because it may be a key in the wrong place. A number is.
                error(setting.line,
                      fmt::format("{}{}: {}", setting.name,
                                  port != nullptr ? fmt::format(" = {}", *port) : "",
                                  parsed.error().what),
                      parsed.error().remedy);
            } else {
                listens.push_back(*parsed);
            }
        }
    }

    void file(const python::ConfSetting& setting) {
        if (setting.values.size() != 1) return unexpected(setting, "a list", "the name of a file");
        const python::Value& value = setting.values.front();
        if (is_off(value)) return;
        const auto* text = std::get_if<std::string>(&value.scalar);
        if (text == nullptr) return unexpected(setting, value.type, "the name of a file");
        auto& target = setting.name == "key"    ? settings_.key
                       : setting.name == "cert" ? settings_.cert
                                                : settings_.dns.key_file;
        target = (std::filesystem::path(path_).parent_path() / *text).string();
    }

    /// verbose and quiet are flags, or the number of times that the option would be given.
    void verbosity(const python::ConfSetting& setting) {
        const python::Value& value =
            setting.values.empty() ? python::Value{{}, "an empty list"} : setting.values.front();
        const auto* flag = std::get_if<bool>(&value.scalar);
        const auto* count = std::get_if<std::int64_t>(&value.scalar);
        if (flag == nullptr && count == nullptr)
            return unexpected(setting, value.type, "True, False or a small number");
        const int times =
            flag != nullptr ? int(*flag) : static_cast<int>(std::clamp<std::int64_t>(*count, 0, 9));
        settings_.verbosity =
            settings_.verbosity.value_or(0) + (setting.name == "verbose" ? times : -times);
    }

    void debug(const python::ConfSetting& setting) {
        const python::Value& value =
            setting.values.empty() ? python::Value{{}, "an empty list"} : setting.values.front();
        const auto* flag = std::get_if<bool>(&value.scalar);
        const auto* count = std::get_if<std::int64_t>(&value.scalar);
        if (flag == nullptr && count == nullptr)
            return unexpected(setting, value.type, "True or False");
        settings_.debug = flag != nullptr ? *flag : *count != 0;
    }

    void hook_threads(const python::ConfSetting& setting) {
        constexpr std::int64_t most = 32;
        const auto* count = setting.values.size() == 1
                                ? std::get_if<std::int64_t>(&setting.values.front().scalar)
                                : nullptr;
        if (count == nullptr || *count < 1 || *count > most)
            return error(setting.line, "hook_threads is not a valid number of threads",
                         fmt::format("expected a number from 1 to {}", most));
        settings_.hook_threads = static_cast<unsigned>(*count);
    }

    bool has_old_clients() const {
        const auto clients = conf_.clients("clients");
        return clients.has_value() && clients->has_value();
    }

    void read_clients(const std::optional<std::vector<python::ConfClient>>& clients) {
        if (!clients) {
            if (!conf_.has_get_host())
                error(0,
                      has_old_clients() ? "clients is the name of CLIENTS in the Python sftdyn 0.9"
                                        : "there is neither a function get_host(querystring, ip) "
                                          "nor a dict CLIENTS",
                      "define get_host, or CLIENTS = {\"key\": \"host.example.org\"}");
            if (!conf_.has_nsupdate_commands())
                error(0,
                      "there is neither a function nsupdatecommands(host, new_ip, headers) nor "
                      "a dict CLIENTS",
                      "define nsupdatecommands; with CLIENTS its default serves: delete the "
                      "host's address, add the new one");
            return;
        }
        if (conf_.has_get_host()) return;  // get_host interprets CLIENTS
        unsigned number = 0;
        for (const auto& client : *clients) read_client(client, ++number);
    }

    void read_client(const python::ConfClient& client, unsigned number) {
        const std::string_view key = client.key.reveal();
        const auto* text = std::get_if<std::string>(&client.host.scalar);
        if (key.empty())
            return error(
                0, fmt::format("the key of entry {} of CLIENTS is not a text, or is empty", number),
                "expected a str");
        if (key.starts_with('/'))
            return error(0,
                         fmt::format("the key of entry {} of CLIENTS begins with a slash", number),
                         "leave it out: leading slashes are not part of the key");
        if (text == nullptr)
            return error(
                0, fmt::format("the host of entry {} of CLIENTS is {}", number, client.host.type),
                "expected a str: CLIENTS = {\"key\": \"host.example.org\"}");
        if (base::parse_address(*text))
            return error(
                0, fmt::format("the host of entry {} of CLIENTS is an address, not a name", number),
                "name the host that gets its client's address: CLIENTS = {\"key\": "
                "\"host.example.org\"}");
        const auto host = parse_client_host(*text);
        // The error does not quote the text: keys and hosts may have been swapped.
        if (host.has_error())
            return error(0, fmt::format("entry {} of CLIENTS: {}", number, host.error().what),
                         "expected CLIENTS = {\"key\": \"host.example.org\"}");
        // A further key for the same host becomes a client of its own.
        if (!settings_.clients.source_of_host(*host)) {
            static_cast<void>(settings_.clients.add(key, *host, {}, number));
            return;
        }
        NamedClient named;
        named.name = host->text();
        named.key = client.key;
        named.hosts.push_back({*host});
        named.source = number;
        settings_.named_clients.push_back(std::move(named));
    }

    const python::Conf& conf_;
    const std::string& path_;
    Settings& settings_;
    Diagnostics diagnostics_{};
};

}  // namespace

Diagnostics read_python_conf(const python::Conf& conf, const std::string& path,
                             Settings& settings) {
    Diagnostics diagnostics = read_tables(conf, path, settings);
    for (auto& diagnostic : ConfReader(conf, path, settings).read())
        diagnostics.push_back(std::move(diagnostic));
    return diagnostics;
}

}  // namespace sftdyn::config
