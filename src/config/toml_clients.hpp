// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the clients of a TOML configuration: pairs of key and host, and clients with a name.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "config/toml_fast_clients.hpp"
#include "config/toml_files.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

/// Of one file. The zones must be read before: hosts are checked against them.
class TomlClients {
public:
    /// `context` is that of the file, and one of `files`.
    TomlClients(const TomlFiles& files, TomlContext& context, Settings& settings)
        : files_(files), context_(context), settings_(settings) {}

    /// Reads the table [clients].
    void read(const toml::table& table);
    /// Reads a plain line, which the TOML library did not parse.
    void read(const ClientLine& line);

private:
    void read_one(const toml::key& key, const toml::node& node);
    void named(const toml::key& name, const toml::table& table);
    static void read_credentials(TomlSection& section, NamedClient& client);
    void read_hosts(TomlSection& section, const toml::table& table, NamedClient& client);
    void read_host(TomlSection& section, const toml::table& table, const toml::node* node,
                   NamedClient& client);
    /// `host` is absent when it is invalid and was reported.
    void add(std::string_view key, toml::source_position key_at,
             const std::optional<dns::Name>& host, toml::source_position at,
             const ClientList::Options& options);
    std::optional<dns::Name> long_form(const toml::table& table, ClientList::Options& options);
    /// Whether the host is a full name. False, with an error: it has a single label, and is in none
    /// of the configured zones.
    bool is_whole(const dns::Name& host, toml::source_position at);
    /// Reports a line below [clients] that was meant as a setting of the server.
    void stands_too_low(const toml::key& key, const Setting& meant);
    std::optional<dns::Name> host(std::string_view text, toml::source_position at);

    [[nodiscard]] SourceLine source(toml::source_position at) const {
        return {at.line, context_.number};
    }

    const TomlFiles& files_;
    TomlContext& context_;
    Settings& settings_;
};

/// Reports keys, users and names that more than one client has, in whatever files, and hosts that a
/// client names twice. Call it when the clients of all files were read.
void compare_named_clients(TomlFiles& files, const Settings& settings);

}  // namespace sftdyn::config
