// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_admin.hpp"

#include "config/system_accounts.hpp"
#include "config/toml_listeners.hpp"

namespace sftdyn::config {
namespace {

void read_command(TomlContext& context, TomlSection& section, std::vector<std::string>& target) {
    const toml::node* node = section.take("event_command");
    if (node == nullptr) return;
    const toml::array* words = node->as_array();
    const auto is_text = [](const toml::node& word) { return word.is_string(); };
    if (words == nullptr || words->empty() || !std::all_of(words->begin(), words->end(), is_text))
        return section.wrong_type(*node, section.schema("event_command"));
    for (const auto& word : *words) target.push_back(*word.value_exact<std::string>());
    if (!target.front().starts_with('/') || has_control_characters(target.front()))
        context.error(node->source(), "event_command names no program",
                      "give its whole path: there is no shell to look for it");
}

void read_events(TomlContext& context, TomlSection& section, EventChoice& target) {
    const toml::node* node =
        section.take_some("events", "name some of them, or leave event_command out");
    if (node == nullptr) return;
    const toml::array* names = node->as_array();
    const auto is_text = [](const toml::node& name) { return name.is_string(); };
    if (names == nullptr || !std::all_of(names->begin(), names->end(), is_text))
        return section.wrong_type(*node, section.schema("events"));
    target = {.change = false, .stale = false, .failure = false};
    for (const auto& name : *names) {
        const std::string text = *name.value_exact<std::string>();
        if (text == "change")
            target.change = true;
        else if (text == "stale")
            target.stale = true;
        else if (text == "failure")
            target.failure = true;
        else
            context.error(name.source(), "events names an unknown event",
                          "the known events are \"change\", \"stale\", \"failure\"");
    }
}

}  // namespace

void read_process(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::process);
    section.text("user", "the name of a user", [&](const std::string& value) -> base::Result<void> {
        settings.user = user_name(value);
        if (settings.user) return {};
        return base::Error{"there is no user of this name", "",
                           "name a user of this machine (getent passwd)"};
    });
    section.plain(settings);
    section.reject_unknown();
}

void read_admin(TomlContext& context, const toml::table& table, Settings& settings) {
    TomlSection section(context, table, Section::admin);
    read_listeners(context, section, "metrics", settings.admin.metrics);
    section.plain(settings);
    if (settings.admin.control) {
        if (const auto fits = check_socket_path(*settings.admin.control); fits.has_error())
            context.error(section.take("control")->source(), fits.error().what,
                          fits.error().remedy);
    }
    read_command(context, section, settings.admin.event_command);
    read_events(context, section, settings.admin.events);
    section.reject_unknown();
}

}  // namespace sftdyn::config
