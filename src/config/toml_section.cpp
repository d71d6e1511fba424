// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_section.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace sftdyn::config {

TomlContext::Found TomlContext::at_place(const toml::source_position& at, std::string what,
                                         std::string remedy) const {
    return {
        at,
        {std::move(what), fmt::format("{}:{}:{}", path, at.line, at.column), std::move(remedy)}};
}

void TomlContext::error(const toml::source_position& at, std::string what, std::string remedy) {
    found.push_back(at_place(at, std::move(what), std::move(remedy)));
}

void TomlContext::warning(const toml::source_region& at, std::string what, std::string remedy) {
    found_warnings.push_back(at_place(at.begin, std::move(what), std::move(remedy)));
}

Diagnostics TomlContext::in_order(std::vector<Found>& all) {
    std::stable_sort(all.begin(), all.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    Diagnostics out;
    for (auto& one : all) out.push_back(std::move(one.error));
    return out;
}

std::string TomlContext::relative(const std::string& file) const {
    constexpr std::string_view credential = "credential:";
    if (!file.starts_with(credential))
        return (std::filesystem::path(path).parent_path() / file).string();
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    // Without systemd, root finds the credentials of the running service in this folder.
    return (std::filesystem::path(folder != nullptr ? folder : "/run/credentials/sftdyn.service") /
            file.substr(credential.size()))
        .string();
}

void TomlSection::plain(Settings& settings) {
    for (const Setting& row : settings_of(section_)) {
        if (row.path != nullptr) path(row.name, row.path(settings));
        if (row.set == nullptr) continue;
        if (row.take_other != nullptr) {
            const toml::node* node = take(row.name);
            const auto other = node != nullptr ? node->value_exact<std::string>() : std::nullopt;
            if (other && row.take_other(settings, *other)) continue;
        }
        if (const auto value = number(row)) row.set(settings, *value);
    }
}

const toml::node* TomlSection::take(std::string_view name) const {
    const Setting& row = schema(name);
    const toml::node* node = table_.get(row.name);
    return node != nullptr || row.former_name.empty() ? node : table_.get(row.former_name);
}

const toml::node* TomlSection::take_some(std::string_view name, const char* remedy) {
    const toml::node* node = take(name);
    const auto* list = node != nullptr ? node->as_array() : nullptr;
    if (list == nullptr || !list->empty()) return node;
    context_.error(node->source(), fmt::format("{} is an empty list", name), remedy);
    return nullptr;
}

void TomlSection::text(std::string_view name, const char* expected,
                       const std::function<base::Result<void>(const std::string&)>& use) {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) return wrong_type(*node, name, expected);
    const auto result = use(*value);
    if (result.has_error())
        context_.error(node->source(), result.error().what, result.error().remedy);
}

void TomlSection::path(std::string_view name, std::optional<std::string>& target) {
    const Setting& row = schema(name);
    const toml::node* node = take(name);
    if (row.may_be_off && node != nullptr && node->value_exact<bool>() == false) {
        target = std::string();
        return;
    }
    text(name, expected_of(row).c_str(), [&](const std::string& value) -> base::Result<void> {
        if (value.empty())
            return base::Error{fmt::format("{} is empty", name), "",
                               row.may_be_off ? "name a path, or write false for none"
                                              : "name the file, or leave the line out"};
        // Messages show paths. A multi-line string that was not meant as one contains other lines
        // of the file, possibly with keys.
        if (has_control_characters(value))
            return base::Error{fmt::format("{} is not a file's path: it has a line break or "
                                           "another control character in it",
                                           name),
                               "", "write the path in one line, in quotation marks"};
        target = context_.relative(value);
        return {};
    });
}

std::optional<std::int64_t> TomlSection::number(const Setting& setting) {
    const toml::node* node = take(setting.name);
    if (node == nullptr) return std::nullopt;
    if (setting.kind == SettingKind::seconds) return milliseconds(setting, *node);
    if (setting.kind == SettingKind::choice) return word(setting, *node);
    if (setting.kind == SettingKind::flag) {
        const auto value = node->value_exact<bool>();
        if (!value) wrong_type(*node, setting);
        return value ? std::optional<std::int64_t>(*value) : std::nullopt;
    }
    const auto value = node->value_exact<std::int64_t>();
    if (!value) {
        wrong_type(*node, setting);
        return std::nullopt;
    }
    if (*value < setting.least || *value > setting.most) {
        out_of_range(*node, setting);
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> TomlSection::milliseconds(const Setting& setting,
                                                      const toml::node& node) {
    const auto value = node.value<double>();
    if (!value || node.is_boolean()) {
        wrong_type(node, setting);
        return std::nullopt;
    }
    const double in_milliseconds = *value * 1000;
    if (!(in_milliseconds >= static_cast<double>(setting.least) &&
          in_milliseconds <= static_cast<double>(setting.most))) {
        out_of_range(node, setting);
        return std::nullopt;
    }
    return std::llround(in_milliseconds);
}

std::optional<std::int64_t> TomlSection::word(const Setting& setting, const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    if (!value) {
        wrong_type(node, setting);
        return std::nullopt;
    }
    const auto found = std::find(setting.words.begin(), setting.words.end(), *value);
    if (found != setting.words.end()) return found - setting.words.begin();
    context_.error(node.source(), fmt::format("{} has no such value", setting.name),
                   fmt::format("expected {}", expected_of(setting)));
    return std::nullopt;
}

void TomlSection::flag(std::string_view name, bool& target) {
    if (const auto value = number(schema(name))) target = *value != 0;
}

void TomlSection::table(std::string_view name, const std::function<void(const toml::table&)>& use) {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    if (!node->is_table()) return wrong_type(*node, schema(name));
    use(*node->as_table());
}

void TomlSection::tables(std::string_view name,
                         const std::function<void(const toml::table&)>& use) {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return wrong_type(*node, schema(name));
    for (const auto& item : *list) {
        if (const toml::table* one = item.as_table()) {
            use(*one);
        } else {
            wrong_type(item, name, fmt::format("a table: [[{}]]", name));
        }
    }
}

void TomlSection::reject_unknown() {
    const auto rows = settings_of(section_);
    std::string known = "known here: ";
    for (const Setting& row : rows) {
        if (&row != &rows.front()) known += ", ";
        known += row.name;
    }
    for (const auto& [key, node] : table_) {
        const auto is_it = [&name = key](const Setting& row) { return row.name == name.str(); };
        if (std::any_of(rows.begin(), rows.end(), is_it)) continue;
        const auto was_it = [&name = key](const Setting& row) {
            return !row.former_name.empty() && row.former_name == name.str();
        };
        const auto renamed = std::find_if(rows.begin(), rows.end(), was_it);
        if (renamed != rows.end()) {
            former_name(key.source(), *renamed);
            continue;
        }
        const std::string place = label_.empty() ? "" : fmt::format(" in {}", label_);
        const Setting* meant = meant_by(key.str(), section_);
        if (meant == nullptr) {
            context_.error(key.source(), "unknown setting" + place, hint(node) + known);
        } else if (meant->section == section_) {
            context_.error(key.source(), fmt::format("unknown setting \"{}\"{}", key.str(), place),
                           fmt::format("did you mean {}? {}", meant->name, known));
        } else {
            const std::string home = meant->section == Section::top
                                         ? "at the file's top, above the first [table]"
                                     : meant->section == Section::named_client
                                         ? "in [clients.NAME]"
                                         : fmt::format("in {}", label_of(meant->section));
            context_.error(key.source(), fmt::format("unknown setting \"{}\"{}", key.str(), place),
                           fmt::format("{} stands {}; {}", meant->name, home, known));
        }
    }
}

void TomlSection::former_name(const toml::source_region& at, const Setting& row) {
    const std::string remedy = fmt::format("write {} in its place", row.name);
    if (table_.contains(row.name)) {
        context_.error(at, fmt::format("{} and {} are one setting", row.former_name, row.name),
                       fmt::format("leave {} out: it is the former name", row.former_name));
    } else {
        context_.warning(at, fmt::format("{} is the former name of a setting", row.former_name),
                         remedy);
    }
}

std::string TomlSection::hint(const toml::node& node) const {
    const bool of_client = section_ == Section::client || section_ == Section::named_client ||
                           section_ == Section::host;
    if (of_client)
        return "a client's key or name that has a dot in it takes quotation marks: "
               "\"key.with.dots\" "
               "= \"host.example.org\", [clients.\"host.example.org\"]; ";
    if (node.is_string() || node.is_table())
        return "if this is a client's key, it belongs below [clients]: \"key\" = "
               "\"host.example.org\"; ";
    return {};
}

void TomlSection::wrong_type(const toml::node& node, std::string_view name,
                             std::string_view expected) {
    std::ostringstream type;
    type << node.type();
    context_.error(node.source(), fmt::format("{} is of the wrong type ({})", name, type.str()),
                   fmt::format("expected {}", expected));
}

void TomlSection::out_of_range(const toml::node& node, const Setting& setting) {
    context_.error(node.source(), fmt::format("{} is out of range", setting.name),
                   fmt::format("expected {}", expected_of(setting)));
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use) {
    if (const auto* list = node.as_array()) {
        for (const auto& item : *list) use(item);
    } else {
        use(node);
    }
}

}  // namespace sftdyn::config
