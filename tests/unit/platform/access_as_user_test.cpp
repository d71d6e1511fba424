// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/access_as_user.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/system_user.hpp"
#include "child_process.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::platform {
namespace {

constexpr const char* somebody = "daemon";

class AccessAsUser : public testing::Test {
protected:
    AccessAsUser() { chmod(folder.path().c_str(), 0755); }
    std::string file(const std::string& name, mode_t mode) {
        const std::string path = folder.write(name, "text");
        chmod(path.c_str(), mode);
        return path;
    }

    const TemporaryFolder folder;
};

TEST_F(AccessAsUser, ModesCountForTheUserAndNotForRootWhoAsks) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::string closed = file("closed", 0600), open = file("open", 0644),
                      program = file("program", 0755);
    EXPECT_FALSE(may(somebody, closed, R_OK));
    EXPECT_TRUE(may("root", closed, R_OK));
    EXPECT_TRUE(may(somebody, open, R_OK));
    EXPECT_FALSE(may(somebody, open, W_OK));
    EXPECT_FALSE(may(somebody, open, R_OK | W_OK));
    EXPECT_FALSE(may(somebody, open, X_OK));
    EXPECT_TRUE(may(somebody, program, R_OK | X_OK));
    EXPECT_FALSE(may(somebody, folder / "none", F_OK));
    EXPECT_EQ(geteuid(), 0U) << "who asks stays who it was";
    EXPECT_EQ(access(closed.c_str(), W_OK), 0);
}

TEST_F(AccessAsUser, FoldersAboveCount) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::string open = file("open", 0644);
    chmod(folder.path().c_str(), 0700);
    EXPECT_FALSE(may(somebody, open, R_OK));
}

TEST_F(AccessAsUser, GroupsAreTheUsersAndNotRoots) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const auto user = base::find_user(somebody);
    ASSERT_TRUE(user);
    const std::string theirs = file("theirs", 0640), roots = file("roots", 0640);
    ASSERT_EQ(chown(theirs.c_str(), 0, user->gid), 0);
    EXPECT_TRUE(may(somebody, theirs, R_OK));
    EXPECT_FALSE(may(somebody, theirs, W_OK));
    EXPECT_FALSE(may(somebody, roots, R_OK));
}

TEST_F(AccessAsUser, WhoCanNotBecomeTheUserIsJudgedInstead) {
    const std::string closed = file("closed", 0400);
    EXPECT_TRUE(may("no-such-user-here", closed, R_OK));
    EXPECT_FALSE(may("no-such-user-here", folder / "none", R_OK));
    if (geteuid() != 0) return;
    const std::string text = in_child([&] {
        const auto user = base::find_user(somebody);
        if (!user || setgid(user->gid) != 0 || setuid(user->uid) != 0) return std::string("failed");
        return std::to_string(may("root", closed, R_OK));
    });
    EXPECT_EQ(text, "0");
}

}  // namespace
}  // namespace sftdyn::platform
