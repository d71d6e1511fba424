// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_networks.hpp"

namespace sftdyn::config {

void read_trusted_proxies(TomlContext& context, TomlSection& top, Settings& settings) {
    const toml::node* node = top.take("trusted_proxies");
    if (node == nullptr) return;
    one_or_many(*node, [&](const toml::node& item) {
        const auto text = item.value_exact<std::string>();
        if (!text)
            return top.wrong_type(item, "trusted_proxies", "addresses or CIDR blocks as strings");
        const auto network = base::Network::parse(*text);
        if (network.has_error())
            return context.error(item.source(), "this is not a network", network.error().remedy);
        settings.trusted_proxies.push_back(*network);
    });
}

void read_addresses(TomlContext& context, const toml::table& table, base::AddressRules& rules) {
    TomlSection section(context, table, Section::addresses);
    const auto read = [&](const char* name, const toml::node* node,
                          std::vector<base::Network>& target) {
        if (node == nullptr) return;
        one_or_many(*node, [&](const toml::node& item) {
            const auto text = item.value_exact<std::string>();
            if (!text)
                return section.wrong_type(item, name,
                                          "networks as strings: \"192.168.0.0/16\", \"private\"");
            const auto networks = base::parse_networks(*text);
            if (networks.has_error())
                return context.error(item.source(), networks.error().what, networks.error().remedy);
            target.insert(target.end(), networks->begin(), networks->end());
        });
    };
    // An empty list would allow all addresses, as a missing one does.
    read("allow", section.take_some("allow", "name networks, or leave the line out to allow all"),
         rules.allow);
    read("deny", section.take("deny"), rules.deny);
    section.reject_unknown();
}

}  // namespace sftdyn::config
