// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/settings_schema.hpp"

namespace sftdyn::config {
namespace {

/// What our own names are made of: a client's key is seldom so short and plain.
bool is_plain_word(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || c == '4' || c == '6';
    };
    return name.size() >= 2 && name.size() <= 24 && std::all_of(name.begin(), name.end(), plain);
}

/// How many characters are to be added, left out, replaced, or swapped with their neighbour
/// (Damerau and Levenshtein, each place changed once).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> two_before(b.size() + 1), before(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) before[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min(
                {before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], two_before[j - 2] + 1);
        }
        std::swap(two_before, before);
        std::swap(before, row);
    }
    return before[b.size()];
}

bool is_near(std::string_view name, std::string_view ours) {
    // Half of a short word may not be guessed.
    const std::size_t most = ours.size() < 3 ? 0 : ours.size() < 7 ? 1 : 2;
    const std::size_t difference =
        name.size() > ours.size() ? name.size() - ours.size() : ours.size() - name.size();
    return difference <= most && distance(name, ours) <= most;
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
        return fmt::format("{} has changed: that takes effect with a restart only", last);
    return fmt::format("{} and {} have changed: that takes effect with a restart only",
                       fmt::join(changed, ", "), last);
}

const Setting* meant_by(std::string_view name, Section section) {
    if (!is_plain_word(name)) return nullptr;
    const auto find = [](std::span<const Setting> rows, const auto& fits) -> const Setting* {
        const auto found = std::find_if(rows.begin(), rows.end(), fits);
        return found == rows.end() ? nullptr : &*found;
    };
    const auto is_same = [&](const Setting& ours) { return ours.name == name; };
    const auto is_like = [&](const Setting& ours) { return is_near(name, ours.name); };
    for (const auto rows : {settings_of(section), all_settings()}) {
        if (const Setting* same = find(rows, is_same)) return same;
        if (const Setting* near = find(rows, is_like)) return near;
    }
    return nullptr;
}

}  // namespace sftdyn::config
