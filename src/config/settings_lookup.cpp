// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/word_distance.hpp"
#include "config/settings_schema.hpp"

namespace sftdyn::config {
namespace {

/// Whether the name has the characters and the length of our settings' names. Few client keys are
/// that short and plain.
bool is_plain_word(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '4' || c == '6';
    };
    return name.size() >= 2 && name.size() <= 24 && std::all_of(name.begin(), name.end(), plain);
}

}  // namespace

std::string_view label_of(Section section) {
    constexpr std::string_view labels[] = {
        "",         "a listener", "[[certificate]]", "[addresses]", "[dns]",    "[[zone]]",
        "[limits]", "[process]",  "[admin]",         "a client",    "a client", "a host"};
    return labels[static_cast<std::size_t>(section)];
}

std::span<const Setting> settings_of(Section section) {
    struct BySection {
        bool operator()(const Setting& row, Section wanted) const { return row.section < wanted; }
        bool operator()(Section wanted, const Setting& row) const { return wanted < row.section; }
    };
    const auto rows = all_settings();
    const auto [first, last] = std::equal_range(rows.begin(), rows.end(), section, BySection());
    return {first, last};
}

const Setting& setting(Section section, std::string_view name) {
    for (const Setting& row : settings_of(section)) {
        if (row.name == name) return row;
    }
    throw std::logic_error(fmt::format("no setting {} in \"{}\"", name, label_of(section)));
}

std::string expected_of(const Setting& setting) {
    switch (setting.kind) {
        case SettingKind::flag:
            return "true or false";
        case SettingKind::integer:
            return fmt::format("a whole number from {} to {}", setting.least, setting.most);
        case SettingKind::seconds:
            return fmt::format("seconds, from {} to {}", static_cast<double>(setting.least) / 1000,
                               static_cast<double>(setting.most) / 1000);
        case SettingKind::choice:
            return fmt::format("one of \"{}\"{}", fmt::join(setting.words, "\", \""),
                               setting.take_other == nullptr
                                   ? ""
                                   : ", or another header of one address, as \"CF-Connecting-IP\"");
        case SettingKind::path:
            return setting.may_be_off ? "a path, or false for none" : "the path of a file";
        case SettingKind::text:
            return "a text";
        case SettingKind::texts:
            return "a text, or a list of them";
        case SettingKind::listeners:
            return "PORT, \"IP4:PORT\", \"[IP6]:PORT\" or \"unix:PATH\", or a list of them";
        case SettingKind::command:
            return "a command with its arguments: [\"/usr/local/bin/notify\", \"argument\"]";
        case SettingKind::table:
            return fmt::format("a table: [{}]", setting.name);
        case SettingKind::tables:
            return fmt::format("tables: [[{}]]", setting.name);
    }
    return {};
}

std::string full_name(const Setting& setting) {
    if (setting.section == Section::top) return std::string(setting.name);
    return fmt::format("{} {}", label_of(setting.section), setting.name);
}

std::string restart_notice(const Settings& started, const Settings& now) {
    std::vector<std::string> changed;
    for (const Setting& row : all_settings()) {
        if (row.effect != Effect::restart || row.is_same == nullptr) continue;
        if (!row.is_same(started, now)) changed.push_back(full_name(row));
    }
    if (changed.empty()) return {};
    const std::string last = changed.back();
    changed.pop_back();
    if (changed.empty())
        return fmt::format("{} has changed: that takes effect only with a restart", last);
    return fmt::format("{} and {} have changed: that takes effect only with a restart",
                       fmt::join(changed, ", "), last);
}

const Setting* meant_by(std::string_view name, Section section) {
    if (!is_plain_word(name)) return nullptr;
    const auto find = [](std::span<const Setting> rows, const auto& fits) -> const Setting* {
        const auto found = std::find_if(rows.begin(), rows.end(), fits);
        return found == rows.end() ? nullptr : &*found;
    };
    const auto is_same = [&](const Setting& ours) { return ours.name == name; };
    const auto is_like = [&](const Setting& ours) { return base::is_near(name, ours.name); };
    for (const auto rows : {settings_of(section), all_settings()}) {
        if (const Setting* same = find(rows, is_same)) return same;
        if (const Setting* near = find(rows, is_like)) return near;
    }
    return nullptr;
}

}  // namespace sftdyn::config
