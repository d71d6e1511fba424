// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/conf_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "temporary_folder.hpp"

namespace sftdyn::config {
namespace {

using testing::HasSubstr;

class ConfFileTest : public testing::Test {
protected:
    /// What both say of a path that is none; they must say the same.
    static std::string refusal(const std::string& path) {
        const auto checked = check_conf(path);
        const auto read = read_conf(path);
        if (!checked.has_error() || !read.has_error()) return "it is taken";
        EXPECT_EQ(checked.error().text(), read.error().text());
        EXPECT_EQ(checked.error().where, path);
        EXPECT_THAT(checked.error().remedy, HasSubstr("sftdyn FILE"));
        return checked.error().what;
    }

    const TemporaryFolder folder;
};

TEST_F(ConfFileTest, AFileIsReadWhole) {
    std::string text("a\0b\r\n\xff", 6);
    text += std::string(300000, 'x');
    const std::string path = folder.write("c.toml", text);
    EXPECT_FALSE(check_conf(path).has_error());
    EXPECT_EQ(read_conf(path).value(), text);
    EXPECT_EQ(read_conf(folder.write("empty", "")).value(), "");
    std::filesystem::create_symlink("c.toml", folder / "link");
    EXPECT_EQ(read_conf(folder / "link").value(), text);
}

TEST_F(ConfFileTest, WhatIsNoFileIsToldAsWhatItIs) {
    EXPECT_EQ(refusal(folder / "none"),
              "the configuration can't be read: No such file or directory");
    EXPECT_EQ(refusal(folder.path()), "the configuration can't be read: it is a folder");
    const std::string no_file =
        "the configuration can't be read: it is not a regular file but a pipe, a device or a "
        "socket";
    EXPECT_EQ(refusal("/dev/null"), no_file);
    // Nobody writes into it: whoever waits for that waits for ever.
    ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(refusal(folder / "pipe"), no_file);
}

TEST_F(ConfFileTest, TheLargestIsTakenAndALargerOneIsNot) {
    // Holes take no room.
    const std::string path = folder.write("large", "");
    ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(largest_conf)), 0);
    EXPECT_FALSE(check_conf(path).has_error());
    ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(largest_conf) + 1), 0);
    EXPECT_EQ(refusal(path), "the configuration can't be read: it is larger than 1024 MiB");
}

}  // namespace
}  // namespace sftdyn::config
