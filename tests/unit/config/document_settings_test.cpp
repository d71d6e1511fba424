// SPDX-License-Identifier: GPL-3.0-or-later
// The program that makes parts of the documents: what it writes, and when it fails.
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>

#include "config/settings_documents.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::config {
namespace {

using testing::HasSubstr;

struct Ended {
    int status = -1;
    std::string output{};
};

/// Its arguments have nothing that a shell takes for its own.
Ended document_settings(const std::string& arguments) {
    Ended out;
    const std::string command = SFTDYN_DOCUMENT_SETTINGS " " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "re");
    if (pipe == nullptr) return out;
    char part[4096];
    while (std::fgets(part, sizeof part, pipe) != nullptr) out.output += part;
    const int status = pclose(pipe);
    out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return out;
}

class DocumentSettingsTest : public testing::Test {
protected:
    DocumentSettingsTest() {
        std::filesystem::create_directory(folder / "docs");
        std::filesystem::create_directory(folder / "packaging");
    }
    const TemporaryFolder folder;
};

TEST_F(DocumentSettingsTest, WritesTheTablesAndTheSampleAnew) {
    const std::string there =
        text_of_file(std::string(SFTDYN_TEST_DATA) + "/../../docs/configuration.md");
    const std::size_t row = there.find("| `queue` |"), end = there.find('\n', row);
    ASSERT_NE(row, std::string::npos);
    std::string changed = there;
    changed.replace(row, end - row, "| `queue` | 1 | old words |");
    folder.write("docs/configuration.md", changed);
    folder.write("packaging/sftdyn.toml", "something old that is longer than nothing");
    const Ended ended = document_settings(folder.path());
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_EQ(text_of_file(folder / "docs/configuration.md"), there);
    EXPECT_EQ(text_of_file(folder / "packaging/sftdyn.toml"), sample_file());
}

TEST_F(DocumentSettingsTest, PrintsTheSchema) {
    const Ended ended = document_settings("--json");
    EXPECT_EQ(ended.status, 0);
    EXPECT_EQ(ended.output, schema_as_json());
}

TEST_F(DocumentSettingsTest, FailsWhereThereIsNothingToWriteTo) {
    const Ended none = document_settings(folder.path());
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.output, HasSubstr("docs/configuration.md can't be read"));
    folder.write("docs/configuration.md", "no marks\n");
    EXPECT_EQ(document_settings(folder.path()).status, 1);
    EXPECT_EQ(text_of_file(folder / "docs/configuration.md"), "no marks\n");
    EXPECT_EQ(document_settings("").status, 2);
    EXPECT_THAT(document_settings("a b").output, HasSubstr("usage: sftdyn_document_settings"));
}

}  // namespace
}  // namespace sftdyn::config
