// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/exclusive_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(NewFile, IsMadeWithItsModeAndNeverOverwritten) {
    const std::filesystem::path path = testing::TempDir() + "/new-file-" + std::to_string(getpid());
    ASSERT_FALSE(create_file(path, "text", 0600, "do this").has_error());
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto again = create_file(path, "other", 0600, "do this");
    ASSERT_TRUE(again.has_error());
    EXPECT_NE(again.error().text().find("move the old one away first, or do this"),
              std::string::npos);
    std::ifstream file(path);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "text");
    std::filesystem::remove(path);
}

TEST(NewFile, AFolderThatIsNotThereIsAnError) {
    const auto made = create_file("/no/such/folder/file", "", 0600, "do that");
    ASSERT_TRUE(made.has_error());
    EXPECT_NE(made.error().text().find("do that"), std::string::npos);
}

/// A folder of the test's own.
class NewFileInAFolder : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(folder);
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            out.push_back(entry.path().filename());
        std::sort(out.begin(), out.end());
        return out;
    }
    [[nodiscard]] Result<NewFile> make(const std::string& name, bool make_folders = false) const {
        return NewFile::make({folder / name, "text", 0640, {}, make_folders}, "do this");
    }

    const std::filesystem::path folder =
        testing::TempDir() + "/new-files-" + std::to_string(getpid());
};

TEST_F(NewFileInAFolder, HasNoNameBeforeItIsPublished) {
    auto file = make("a");
    ASSERT_FALSE(file.has_error()) << file.error().text();
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));
    ASSERT_FALSE(file->publish().has_error());
    struct stat status {};
    ASSERT_EQ(stat((folder / "a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
    EXPECT_EQ(status.st_size, 4);
    { const auto dropped = make("b"); }
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(NewFileInAFolder, IsWithdrawnOnlyWhileTheNameIsItsOwn) {
    auto file = make("a");
    ASSERT_FALSE(file.has_error() || file->publish().has_error());
    file->withdraw();
    EXPECT_TRUE(names().empty());
    std::ofstream(folder / "a") << "another";
    file->withdraw();
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(NewFileInAFolder, DoesNotFollowALinkInItsPlace) {
    std::filesystem::create_symlink(folder / "elsewhere", folder / "a");
    auto file = make("a");
    ASSERT_FALSE(file.has_error());
    EXPECT_TRUE(file->publish().has_error());
    EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST_F(NewFileInAFolder, FollowsLinksThatNobodyElseCanMake) {
    std::filesystem::create_directory(folder / "real");
    std::filesystem::create_directory_symlink("real", folder / "link");
    std::filesystem::create_directory_symlink(folder / "link", folder / "absolute");
    auto file = make("absolute/below/a", true);
    ASSERT_FALSE(file.has_error()) << file.error().text();
    ASSERT_FALSE(file->publish().has_error());
    EXPECT_TRUE(std::filesystem::exists(folder / "real/below/a"));
}

TEST_F(NewFileInAFolder, DoesNotFollowALinkThatOthersMayHaveMade) {
    std::filesystem::create_directory(folder / "theirs");
    std::filesystem::create_directory(folder / "shadow");
    std::filesystem::permissions(folder / "theirs", std::filesystem::perms::all);
    std::filesystem::create_directory_symlink(folder / "shadow", folder / "theirs/link");
    const auto file = make("theirs/link/a", true);
    ASSERT_TRUE(file.has_error());
    EXPECT_NE(file.error().text().find("it is a symbolic link in a folder where others may write"),
              std::string::npos)
        << file.error().text();
    EXPECT_TRUE(std::filesystem::is_empty(folder / "shadow"));
}

TEST_F(NewFileInAFolder, ALoopOfLinksEnds) {
    std::filesystem::create_directory_symlink("b", folder / "a");
    std::filesystem::create_directory_symlink("a", folder / "b");
    EXPECT_TRUE(make("a/x").has_error());
}

}  // namespace
}  // namespace sftdyn::base
