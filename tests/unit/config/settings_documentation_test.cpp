// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings_documentation.hpp"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "config/settings_documents.hpp"
#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(SettingsDocumentation, EverySettingIsDocumentedOnce) {
    std::map<const Setting*, int> count;
    for (const auto& entry : documentation()) {
        for (const Setting* row : settings_in(entry.section, entry.names)) ++count[row];
    }
    for (const Setting& row : all_settings()) {
        const bool is_table = row.kind == SettingKind::table || row.kind == SettingKind::tables;
        EXPECT_EQ(count[&row], is_table ? 0 : 1) << full_name(row);
    }
}

TEST(SettingsDocumentation, ARowIsAboutSettingsThatAreAlike) {
    for (const auto& entry : documentation()) {
        const auto rows = settings_in(entry.section, entry.names);
        for (const Setting* row : rows) EXPECT_EQ(row->effect, rows.front()->effect) << row->name;
        const bool has_default = !entry.fallback.empty() || rows.front()->set != nullptr ||
                                 rows.front()->kind == SettingKind::integer;
        EXPECT_TRUE(has_default) << entry.names;
        EXPECT_EQ(entry.meaning.find_first_of("|\n"), std::string_view::npos) << entry.names;
    }
}

TEST(SettingsDocumentation, TheSectionsStandTogether) {
    std::vector<Section> order;
    for (const auto& entry : documentation()) {
        if (order.empty() || order.back() != entry.section) order.push_back(entry.section);
    }
    auto once = order;
    std::sort(once.begin(), once.end());
    EXPECT_EQ(std::adjacent_find(once.begin(), once.end()), once.end());
}

TEST(SettingsDocumentation, ASampleLineNamesASettingOrAKey) {
    for (const auto& line : sample_lines()) {
        if (line.name.starts_with('"')) {
            EXPECT_EQ(line.section, Section::client);
        } else {
            EXPECT_NO_THROW(static_cast<void>(setting(line.section, line.name))) << line.name;
        }
        EXPECT_EQ(line.comment.find('\n'), std::string_view::npos) << line.name;
    }
    EXPECT_FALSE(sample_lines().front().comment.empty());
}

TEST(SettingsDocumentation, EveryLineOfTheSampleMayBeUsed) {
    std::string all;
    for (const auto& line : sample_lines()) {
        if (line.name == "include") continue;  // the folder is not there
        const bool is_key = line.section == Section::client;
        const std::string table = is_key ? "[clients]" : std::string(label_of(line.section));
        if (!table.empty() && all.find(table + '\n') == std::string::npos) all += table + '\n';
        std::string value(line.value);
        // As `sample_file` does: no value is the schema's.
        if (value.empty()) {
            const Setting& row = setting(line.section, line.name);
            value = row.kind == SettingKind::seconds
                        ? fmt::format("{}", static_cast<double>(row.fallback) / 1000)
                        : std::to_string(row.fallback);
        }
        all += fmt::format("{} = {}\n", line.name, value);
    }
    EXPECT_THAT(ReadText(all).said, IsEmpty()) << all;
}

TEST(SettingsDocumentation, OnlyThePortIsSetInTheSample) {
    for (const auto& line : sample_lines())
        EXPECT_EQ(line.is_set, line.name == "http") << line.name;
}

}  // namespace
}  // namespace sftdyn::config
