// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_reader.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/number.hpp"
#include "base/secret.hpp"
#include "config/conf_file.hpp"
#include "config/toml_admin.hpp"
#include "config/toml_clients.hpp"
#include "config/toml_fast_clients.hpp"
#include "config/toml_files.hpp"
#include "config/toml_include.hpp"
#include "config/toml_listeners.hpp"
#include "config/toml_networks.hpp"
#include "config/toml_section.hpp"
#include "config/toml_syntax.hpp"
#include "config/toml_zones.hpp"

namespace sftdyn::config {
namespace {

void read_certificate(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::certificate);
    std::optional<std::string> cert, key;
    section.path("cert", cert);
    section.path("key", key);
    section.reject_unknown();
    if (cert && key) {
        settings.certificates.push_back({*cert, *key});
    } else if (section.take(cert ? "key" : "cert") == nullptr) {
        context.error(table.source(),
                      fmt::format("a [[certificate]] has no {}", cert ? "key" : "cert"),
                      "it takes both cert and key");
    }
}

void read_limits(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::limits);
    section.plain(settings);
    section.reject_unknown();
}

void read_uptodate(TomlSection& top, Settings& settings) {
    top.text("uptodate", "the word that a client reads when its address was right already",
             [&](const std::string& value) -> base::Result<void> {
                 const bool printable = std::all_of(value.begin(), value.end(),
                                                    [](char c) { return c >= ' ' && c <= '~'; });
                 if (value.empty() || value.size() > 100 || !printable)
                     return base::Error{
                         "uptodate is not a valid word", "",
                         "expected up to 100 printable characters, for example \"OK\""};
                 settings.uptodate = value;
                 return {};
             });
}

/// The zones must be read before: hosts are checked against them.
void read_clients(TomlFiles& files, TomlContext& context, TomlSection& top, Settings& settings,
                  const std::vector<ClientLine>& lines) {
    TomlClients clients(files, context, settings);
    for (const auto& line : lines) clients.read(line);
    top.table("clients", [&](const toml::table& table) { clients.read(table); });
}

void reserve_clients(Settings& settings, const std::vector<ClientLine>& lines) {
    std::size_t key_octets = 0, host_octets = 0;
    for (const auto& line : lines) {
        key_octets += line.key.size();
        host_octets += line.host.size() + 2;  // the wire form adds the first length and the root
    }
    settings.clients.reserve(lines.size(), key_octets, host_octets);
}

using UseParsed = std::function<void(const toml::table&, const std::vector<ClientLine>&)>;

/// Parses the text of a file and calls `use` with it. A syntax error is added to `context`.
void parse(TomlContext& context, std::string_view text, const UseParsed& use) {
    if (is_utf16(text))
        return context.error(toml::source_position{1, 1}, "this is UTF-16, or not text",
                             "save the file as UTF-8");
    std::string rest;
    try {
        std::vector<ClientLine> lines;
        rest = take_client_lines(text, [&](const ClientLine& line) { lines.push_back(line); });
        use(toml::parse(rest, context.path), lines);
    } catch (const toml::parse_error& error) {
        const base::Error explained = explain_syntax(error, rest);
        context.error(error.source(), explained.what, explained.remedy);
    }
}

/// An included file has clients only.
void read_included_root(TomlFiles& files, TomlContext& context, const toml::table& root,
                        Settings& settings, const std::vector<ClientLine>& lines) {
    for (const auto& [key, node] : root) {
        // What is wrong here may be a client's key: it is not quoted.
        if (key.str() != "clients")
            context.error(key.source(), "an included file may have clients only",
                          fmt::format("clients stand below a line [clients] or [clients.NAME], and "
                                      "settings of the server in {}",
                                      files[0].path));
    }
    TomlSection top(context, root, Section::top);
    read_clients(files, context, top, settings, lines);
}

/// A program that rewrites a file may truncate it first. A reload at that moment must fail.
base::Error empty_file(const std::string& path, ConfRole role) {
    if (role == ConfRole::included)
        return {"this included file is empty", path,
                "was it cut off while it was written? Put clients into it, or remove it"};
    return {"the configuration is empty", path,
            "was it cut off while it was written? Put settings and clients into it"};
}

/// The text of a file, which the caller zeroizes.
base::Result<std::string> read_text(const std::string& path, ConfRole role) {
    auto text = read_conf(path, role);
    if (text.has_error()) return text;
    if (text->find_first_not_of(" \t\r\n") == std::string::npos) return empty_file(path, role);
    return text;
}

void read_included_file(TomlFiles& files, const std::string& path, Settings& settings) {
    TomlContext& context = files.add(path);
    auto text = read_text(path, ConfRole::included);
    if (text.has_error()) return context.found.push_back({{}, text.error()});
    parse(context, *text, [&](const toml::table& root, const std::vector<ClientLine>& lines) {
        read_included_root(files, context, root, settings, lines);
    });
    base::zeroize(*text);
}

/// Reads the files of `include`.
void read_included(TomlFiles& files, const toml::table& root, Settings& settings) {
    if (!settings.include) return;
    const auto at = root.get("include")->source();
    if (settings.include->ends_with("*.toml") || settings.include->ends_with('*'))
        return files[0].error(at, "include names a folder, not a pattern",
                              "write include = \"clients.d\": each file in it whose name ends in "
                              ".toml is read");
    auto found = included_files(*settings.include);
    if (found.has_error()) {
        const base::Error& error = found.error();
        return files[0].error(at, fmt::format("{}: {}", error.where, error.what), error.remedy);
    }
    settings.included = std::move(found->paths);
    settings.include_version = std::move(found->version);
    for (const auto& path : settings.included) read_included_file(files, path, settings);
}

void read_root(TomlFiles& files, const toml::table& root, Settings& settings,
               const std::vector<ClientLine>& lines) {
    TomlContext& context = files[0];
    TomlSection top(context, root, Section::top);
    const auto with = [&](const auto& read) {
        return [&context, &settings, &read](const toml::table& table) {
            read(context, table, settings);
        };
    };
    read_listeners(context, top, "http", settings.http);
    read_listeners(context, top, "https", settings.https);
    read_trusted_proxies(context, top, settings);
    top.plain(settings);
    top.table("addresses", [&](const toml::table& table) {
        read_addresses(context, table, settings.addresses);
    });
    top.tables("certificate", with(read_certificate));
    top.table("process", with(read_process));
    top.table("admin", with(read_admin));
    top.table("dns", with(read_dns));
    top.tables("zone", with(read_zone));
    top.table("limits", with(read_limits));
    reserve_clients(settings, lines);
    read_clients(files, context, top, settings, lines);
    read_included(files, root, settings);
    compare_named_clients(files, settings);
    read_uptodate(top, settings);
    top.flag("refusals_in_200", settings.refusals_in_200);
    // The words are in the order of the verbosity, from -1.
    if (const auto level = top.choice("log")) settings.verbosity = static_cast<int>(*level) - 1;
    top.reject_unknown();
}

}  // namespace

Diagnostics read_toml(std::string_view text, const std::string& path, Settings& settings) {
    TomlFiles files(path);
    parse(files[0], text, [&](const toml::table& root, const std::vector<ClientLine>& lines) {
        read_root(files, root, settings, lines);
    });
    settings.warnings = files.warnings();
    return files.diagnostics();
}

Diagnostics read_toml_file(const std::string& path, Settings& settings) {
    auto text = read_text(path, ConfRole::configuration);
    if (text.has_error()) return {text.error()};
    auto diagnostics = read_toml(*text, path, settings);
    base::zeroize(*text);
    return diagnostics;
}

}  // namespace sftdyn::config
