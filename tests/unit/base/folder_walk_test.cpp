// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/folder_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "temporary_folder.hpp"

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FolderWalk : public testing::Test {
protected:
    static Result<Descriptor> walk(const fs::path& folder,
                                   MissingFolders missing = MissingFolders::refuse) {
        return walk_to_folder(folder, missing, "choose another");
    }
    /// Whether the walk led to the folder that the kernel finds.
    static bool leads_to(const Result<Descriptor>& walked, const fs::path& folder) {
        struct stat one {
        }, other{};
        return !walked.has_error() && fstat(walked->get(), &one) == 0 &&
               stat(folder.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
               one.st_ino == other.st_ino;
    }

    TemporaryFolder folder;
};

TEST_F(FolderWalk, LeadsWhereThePathDoes) {
    fs::create_directories(folder / "a/b");
    for (const char* path : {"", "a", "a/b", "a/b/", "a/./b", "a//b", "a/../a/b"})
        EXPECT_TRUE(leads_to(walk(folder / path), folder / path)) << path;
    EXPECT_TRUE(leads_to(walk("/"), "/"));
    EXPECT_TRUE(leads_to(walk("."), fs::current_path()));
}

TEST_F(FolderWalk, WhatIsMissingIsMadeOnlyWhenAskedFor) {
    const auto missing = walk(folder / "a/b");
    ASSERT_TRUE(missing.has_error());
    EXPECT_EQ(missing.error().text(),
              folder / "a/b" + ": there is no such folder; create it first, or choose another");
    EXPECT_TRUE(folder.empty());
    const mode_t before = umask(0);
    const auto made = walk(folder / "a/b", MissingFolders::make);
    umask(before);
    EXPECT_TRUE(leads_to(made, folder / "a/b"));
    EXPECT_EQ(fs::status(folder / "a").permissions(), fs::perms(0755));
}

TEST_F(FolderWalk, AFileInTheWayIsNoFolder) {
    folder.write("file", "");
    for (const MissingFolders missing : {MissingFolders::refuse, MissingFolders::make}) {
        const auto walked = walk(folder / "file/a", missing);
        ASSERT_TRUE(walked.has_error());
        EXPECT_THAT(walked.error().text(), HasSubstr("is no folder"));
    }
}

TEST_F(FolderWalk, ALinkIsFollowedWhereNobodyElseCouldHaveMadeIt) {
    fs::create_directories(folder / "real/inner");
    fs::create_directory(folder / "a");
    fs::create_directory_symlink(folder / "real", folder / "a/absolute");
    fs::create_directory_symlink("../real", folder / "a/relative");
    fs::create_directory_symlink("relative/inner", folder / "a/twice");
    for (const char* path : {"a/absolute", "a/relative/inner", "a/twice"})
        EXPECT_TRUE(leads_to(walk(folder / path), folder / path)) << path;
}

TEST_F(FolderWalk, ALinkWhereOthersMayWriteIsRefused) {
    fs::create_directories(folder / "real");
    fs::create_directory(folder / "shared");
    fs::create_directory_symlink(folder / "real", folder / "shared/link");
    for (const auto mode : {0777, 01777, 0775}) {
        fs::permissions(folder / "shared", fs::perms(mode));
        const auto walked = walk(folder / "shared/link/x", MissingFolders::make);
        ASSERT_TRUE(walked.has_error()) << mode;
        EXPECT_THAT(walked.error().text(), HasSubstr("in a folder where others may write"));
    }
    EXPECT_TRUE(fs::is_empty(folder / "real"));
    fs::permissions(folder / "shared", fs::perms(0755));
    EXPECT_TRUE(leads_to(walk(folder / "shared/link"), folder / "real"));
}

TEST_F(FolderWalk, LinksThatLeadInACircleEnd) {
    fs::create_directory_symlink("b", folder / "a");
    fs::create_directory_symlink("a", folder / "b");
    const auto walked = walk(folder / "a");
    ASSERT_TRUE(walked.has_error());
    EXPECT_THAT(walked.error().text(), HasSubstr("the folder can't be used"));
}

TEST(FolderOf, AFileNamedAloneIsInTheCurrentFolder) {
    EXPECT_EQ(folder_of("file"), ".");
    EXPECT_EQ(folder_of("a/file"), "a");
    EXPECT_EQ(folder_of("/file"), "/");
}

TEST(IsOursAlone, OwnerAndModeDecide) {
    const TemporaryFolder folder;
    const auto is_ours = [&](fs::perms mode) {
        fs::permissions(folder.path(), mode);
        return is_ours_alone(Descriptor(open(folder.path().c_str(), O_PATH | O_CLOEXEC)).get());
    };
    EXPECT_TRUE(is_ours(fs::perms(0700)));
    EXPECT_TRUE(is_ours(fs::perms(0755)));
    EXPECT_FALSE(is_ours(fs::perms(0775)));
    EXPECT_FALSE(is_ours(fs::perms(0757)));
    EXPECT_FALSE(is_ours(fs::perms(01777)));
    EXPECT_FALSE(is_ours_alone(-1));
    fs::permissions(folder.path(), fs::perms(0700));
    if (chown(folder.path().c_str(), 12345, static_cast<gid_t>(-1)) == 0) {
        EXPECT_FALSE(is_ours(fs::perms(0755))) << "another user's";
    }
}

}  // namespace
}  // namespace sftdyn::base
