// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_user.hpp"

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

using namespace sftdyn::base;

namespace {

TEST(SystemUser, RootIsThereByNameAndNumber) {
    ASSERT_TRUE(find_user("root"));
    EXPECT_EQ(find_user("root")->uid, 0U);
    EXPECT_EQ(find_user(uid_t{0})->name, "root");
    EXPECT_EQ(find_group("root")->gid, 0U);
    EXPECT_EQ(find_group(gid_t{0})->name, "root");
}

TEST(SystemUser, OneThatIsNotThere) {
    EXPECT_FALSE(find_user("no-such-user-here"));
    EXPECT_FALSE(find_group("no-such-group-here"));
}

TEST(SystemUser, NobodyIsNoError) {
    errno = EINVAL;
    EXPECT_FALSE(find_user("no-such-user-here"));
    EXPECT_EQ(errno, 0);
    errno = EINVAL;
    EXPECT_FALSE(find_group(gid_t{4'000'000'000}));
    EXPECT_EQ(errno, 0);
}

}  // namespace
