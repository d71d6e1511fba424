// SPDX-License-Identifier: GPL-3.0-or-later
// Reads the clients of a TOML configuration: keys and hosts, and clients with a name.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "config/toml_fast_clients.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {

/// To be used when the zones are read: a host belongs to one.
class TomlClients {
public:
    TomlClients(TomlContext& context, Settings& settings)
        : context_(context), settings_(settings) {}

    /// The table [clients].
    void read(const toml::table& table);
    void read(const ClientLine& line);
    /// Complains of keys, users and hosts that several clients have; to be called last.
    void compare_named();

private:
    void read_one(const toml::key& key, const toml::node& node);
    void named(const toml::key& name, const toml::table& table);
    void read_hosts(TomlSection& section, const toml::table& table, NamedClient& client);
    void read_host(TomlSection& section, const toml::table& table, const toml::node* node,
                   NamedClient& client);
    /// `host` is absent where a diagnostic was made of it.
    void add(std::string_view key, toml::source_position key_at,
             const std::optional<dns::Name>& host, toml::source_position at,
             const ClientList::Options& options);
    std::optional<dns::Name> long_form(const toml::table& table, ClientList::Options& options);
    /// False, with a diagnostic: the host has but one label, and is in no zone that is configured.
    bool is_whole(const dns::Name& host, toml::source_position at);
    /// A line below [clients] that was meant to be a setting of the server.
    void stands_too_low(const toml::key& key, const Setting& meant);
    std::optional<dns::Name> host(std::string_view text, toml::source_position at);

    TomlContext& context_;
    Settings& settings_;
};

}  // namespace sftdyn::config
