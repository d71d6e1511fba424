// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_zones.hpp"

namespace sftdyn::config {
namespace {

void read_servers(TomlContext& context, TomlSection& section, ZoneSettings& zone) {
    for (const char* name : {"server", "servers"}) {
        const toml::node* node =
            section.take_some(name, "name the server's address, or leave the line out");
        if (node == nullptr) continue;
        if (!zone.servers.empty()) {
            context.error(node->source(), "both server and servers are given", "keep one of them");
            continue;
        }
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return section.wrong_type(item, name,
                                          "an IP address as a string, with a port if it is not 53");
            const auto server = parse_server(*text);
            if (server.has_error())
                return context.error(item.source(), "this is not a server address",
                                     server.error().remedy);
            zone.servers.push_back(*server);
        });
    }
}

void read_zone_name(TomlSection& section, std::string_view setting, ZoneSettings& zone) {
    section.text(setting, "the name of a zone",
                 [&](const std::string& value) -> base::Result<void> {
                     auto name = parse_zone(value);
                     if (name.has_error()) return name.error();
                     zone.zone = std::move(*name);
                     return {};
                 });
}

}  // namespace

void read_dns(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::dns);
    read_servers(context, section, settings.dns);
    read_zone_name(section, "zone", settings.dns);
    section.plain(settings);
    section.reject_unknown();
    if (!settings.dns.queries && !settings.dns.zone)
        context.error(table.source(), "the server answers no queries, and no zone is named",
                      "add zone = \"dyn.example.org\" in [dns]");
}

void read_zone(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::zone);
    ZoneSettings zone;
    read_zone_name(section, "name", zone);
    read_servers(context, section, zone);
    section.integer("ttl", zone.ttl);
    section.flag("tcp", zone.tcp);
    section.flag("sign_queries", zone.sign_queries);
    section.flag("queries", zone.queries);
    section.integer("timeout", zone.timeout);
    section.path("nskeyfile", zone.key_file);
    section.reject_unknown();
    if (!zone.zone) {
        if (section.take("name") == nullptr)
            context.error(table.source(), "a [[zone]] has no name",
                          "add name = \"dyn.example.org\"");
        return;
    }
    const auto twin = std::find_if(settings.zones.begin(), settings.zones.end(),
                                   [&](const auto& other) { return other.zone == zone.zone; });
    if (twin != settings.zones.end())
        context.error(table.source(), "this zone appears twice", "keep one of them");
    settings.zones.push_back(std::move(zone));
}

}  // namespace sftdyn::config
