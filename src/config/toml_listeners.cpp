// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_listeners.hpp"

#include "base/number.hpp"
#include "config/system_accounts.hpp"

namespace sftdyn::config {
namespace {

/// As `parse_listen`. A socket's path must also fit the kernel's limit, and have no control
/// characters, because it appears in the log.
base::Result<Listen> listen_of(const std::string& text) {
    auto listen = parse_listen(text);
    if (listen.has_error()) return listen;
    if (has_control_characters(listen->path))
        return base::Error{"a socket's path has control characters in it", "",
                           "write it in one line"};
    if (auto fits = check_socket_path(listen->path); fits.has_error()) return fits.error();
    return listen;
}

base::Result<void> read_mode(const std::string& text, unsigned& mode) {
    const auto parsed = base::parse_number<unsigned>(text, 8);
    if (!parsed || *parsed > 0777)
        return base::Error{"mode is not a file mode", "",
                           "expected octal digits as a string: \"0660\""};
    mode = *parsed;
    return {};
}

void read_table(TomlContext& context, const toml::table& table, std::string_view name,
                std::vector<Listen>& target) {
    TomlSection section(context, table, Section::listener, name);
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
    if (listen.proxy_protocol && name == "metrics")
        context.error(section.take("proxy_protocol")->source(), "metrics takes no proxy_protocol",
                      "leave it out");
    section.text("mode", "a file mode as an octal string: \"0660\"",
                 [&](const std::string& value) { return read_mode(value, listen.mode); });
    section.text("group", "the name of a group",
                 [&](const std::string& value) -> base::Result<void> {
                     const auto found = group_number(value);
                     if (!found)
                         return base::Error{"there is no group of this name", "",
                                            "name a group of this machine (getent group)"};
                     listen.gid = *found;
                     return {};
                 });
    if (section.take("listen") == nullptr)
        context.error(table.source(), fmt::format("{} has no listen", name),
                      "add listen = \"8080\"");
    section.reject_unknown();
    const bool of_unix = section.take("mode") != nullptr || section.take("group") != nullptr;
    if (there && listen.path.empty() && of_unix)
        context.error(table.source(), "mode and group are for Unix sockets only", "leave them out");
    if (context.found.size() == before) target.push_back(listen);
}

}  // namespace

void read_listeners(TomlContext& context, TomlSection& section, std::string_view name,
                    std::vector<Listen>& target) {
    const toml::node* node =
        section.take_some(name, "name an address to listen on, or leave the line out");
    if (node == nullptr) return;
    target.clear();
    one_or_many(*node, [&](const toml::node& item) {
        std::string text;
        if (const auto* table = item.as_table()) return read_table(context, *table, name, target);
        if (const auto port = item.value_exact<std::int64_t>()) {
            text = std::to_string(*port);
        } else if (const auto value = item.value_exact<std::string>()) {
            text = *value;
        } else {
            return section.wrong_type(item, section.schema(name));
        }
        const auto listen = listen_of(text);
        if (listen.has_error())
            return context.error(item.source(), listen.error().what, listen.error().remedy);
        target.push_back(*listen);
    });
}

}  // namespace sftdyn::config
