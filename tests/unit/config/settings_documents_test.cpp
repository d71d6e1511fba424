// SPDX-License-Identifier: GPL-3.0-or-later
// The documents say what the schema says.
#include "config/settings_documents.hpp"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml_reader.hpp"

using namespace sftdyn::config;

namespace {

std::string text_of(const std::string& file) {
    std::ifstream stream(std::string(SFTDYN_TEST_DATA) + "/../../" + file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    EXPECT_TRUE(stream) << file;
    return text.str();
}

/// The first line that differs, and what makes it right; empty: none does.
std::string difference(const std::string& file, const std::string& there, const std::string& made) {
    std::istringstream old(there), fresh(made);
    std::string has, must;
    for (int line = 1;; ++line) {
        const bool in_old = bool(std::getline(old, has)),
                   in_fresh = bool(std::getline(fresh, must));
        if (!in_old && !in_fresh) return {};
        if (in_old != in_fresh || has != must)
            return fmt::format(
                "{}:{} is not what the schema of settings says. It has\n  {}\nand must have\n  "
                "{}\nRun scripts/documents",
                file, line, in_old ? has : "no such line", in_fresh ? must : "no such line");
    }
}

TEST(SettingsDocuments, TheTablesAreThoseOfTheSchema) {
    const std::string there = text_of("docs/configuration.md");
    EXPECT_EQ(difference("docs/configuration.md", there, with_tables(there)), "");
}

TEST(SettingsDocuments, TheSampleIsTheOneOfTheSchema) {
    EXPECT_EQ(difference("packaging/sftdyn.toml", text_of("packaging/sftdyn.toml"), sample_file()),
              "");
}

TEST(SettingsDocuments, ADifferenceIsNamedWithTheCommand) {
    const std::string said = difference("a.md", "same\n| `ttl` | 30 |\n", "same\n| `ttl` | 60 |\n");
    EXPECT_EQ(said,
              "a.md:2 is not what the schema of settings says. It has\n  | `ttl` | 30 |\nand must "
              "have\n  | `ttl` | 60 |\nRun scripts/documents");
}

TEST(SettingsDocuments, MarksAreChecked) {
    const std::string good = text_of("docs/configuration.md");
    std::string misspelt = good;
    misspelt.replace(misspelt.find("settings: dns"), 13, "settings: dsn");
    EXPECT_THROW(static_cast<void>(with_tables(misspelt)), std::runtime_error);
    EXPECT_THROW(static_cast<void>(with_tables("no table at all\n")), std::runtime_error);
}

TEST(SettingsDocuments, TheSampleCanBeRead) {
    Settings settings;
    for (const auto& diagnostic : read_toml(sample_file(), "sftdyn.toml", settings))
        ADD_FAILURE() << diagnostic.text();
}

}  // namespace
