// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/own_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "base/descriptor.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::base {
namespace {

using testing::HasSubstr;

class OwnFileTest : public testing::Test {
protected:
    [[nodiscard]] static std::string text_of(const std::string& path) {
        const auto text = read_own_file(path, 100, "do this");
        if (text.has_error()) return text.error().text();
        return *text ? std::string((*text)->reveal()) : "nothing";
    }
    static void set_mode(const std::string& path, mode_t mode) {
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }

    const TemporaryFolder folder;
    const std::string file = folder.write("key", "text");
};

TEST_F(OwnFileTest, OnesOwnIsReadAndOneThatIsNotThereIsNothing) {
    EXPECT_EQ(text_of(file), "text");
    EXPECT_EQ(text_of(folder / "other"), "nothing");
    EXPECT_EQ(text_of("/no/such/folder/key"),
              "/no/such/folder: there is no such folder; create it first, or do this");
    EXPECT_THAT(text_of(folder.write("large", std::string(101, 'x'))), HasSubstr("too large"));
}

TEST_F(OwnFileTest, AnothersIsNotUsed) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    ASSERT_EQ(chown(file.c_str(), 65534, static_cast<gid_t>(-1)), 0);
    EXPECT_EQ(text_of(file), file +
                                 ": already exists, and is not used: it belongs to nobody, "
                                 "not to root; move it away first, or do this");
}

TEST_F(OwnFileTest, WhatOthersMayWriteToIsNotUsed) {
    for (const mode_t mode : {0620U, 0602U}) {
        set_mode(file, mode);
        EXPECT_EQ(text_of(file),
                  file +
                      ": already exists, and is not used: others may write to it; if it is "
                      "still yours, chmod go-w " +
                      file + "; else move it away first, or do this");
    }
    set_mode(file, 0644);
    EXPECT_EQ(text_of(file), "text");
}

TEST_F(OwnFileTest, ASymbolicLinkIsNotFollowed) {
    std::filesystem::create_symlink(file, folder / "link");
    EXPECT_THAT(text_of(folder / "link"), HasSubstr("is a symbolic link, which is not followed"));
    std::filesystem::create_symlink("nowhere", folder / "loose");
    EXPECT_THAT(text_of(folder / "loose"), HasSubstr("is a symbolic link, which is not followed"));
}

TEST_F(OwnFileTest, InAFolderWhereOthersMayWriteNothingIsUsed) {
    // A hard link, or a file of this user's that somebody who has read it renamed.
    std::filesystem::create_hard_link(file, folder / "link");
    EXPECT_EQ(text_of(folder / "link"), "text");
    for (const mode_t mode : {01777U, 0777U, 0775U}) {
        set_mode(folder.path(), mode);
        for (const std::string& path : {file, folder / "link"})
            EXPECT_THAT(text_of(path), HasSubstr("others may write to its folder, and could have "
                                                 "put it there"));
    }
}

TEST_F(OwnFileTest, AFolderIsNotFollowedByALinkThatOthersMayHaveMade) {
    std::filesystem::create_directory(folder / "theirs");
    std::filesystem::create_directory_symlink(folder.path(), folder / "theirs/link");
    EXPECT_EQ(text_of(folder / "theirs/link/key"), "text");
    set_mode(folder / "theirs", 01777);
    EXPECT_THAT(text_of(folder / "theirs/link/key"),
                HasSubstr("is a symbolic link in a folder where others may write"));
}

TEST_F(OwnFileTest, APipeIsNotWaitedFor) {
    const std::string pipe = folder / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_THAT(text_of(pipe), HasSubstr("is not a regular file"));
    EXPECT_THAT(text_of(folder.path()), HasSubstr("is not a regular file"));
}

}  // namespace
}  // namespace sftdyn::base
