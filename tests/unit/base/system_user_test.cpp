// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_user.hpp"

#include <cerrno>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/shared_library.hpp"
#include "base/system_error.hpp"

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

TEST(SystemError, ManyThreadsGetTheirOwnText) {
    const std::string denied = system_error_text(EACCES), none = system_error_text(ENOENT);
    EXPECT_EQ(denied, "Permission denied");
    EXPECT_FALSE(system_error_text(123456).empty());
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 1000; ++i) {
                EXPECT_EQ(system_error_text(thread % 2 == 0 ? EACCES : ENOENT),
                          thread % 2 == 0 ? denied : none);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(SharedLibrary, SaysWhatIsMissing) {
    SharedLibrary none("libno-such-library.so.0");
    EXPECT_FALSE(none.is_loaded());
    EXPECT_NE(none.error().find("libno-such-library"), std::string::npos);
    EXPECT_EQ(none.function<int()>("getpid"), nullptr);
    SharedLibrary c("libc.so.6");
    ASSERT_TRUE(c.is_loaded());
    EXPECT_NE(c.function<int()>("getpid"), nullptr);
    EXPECT_EQ(c.function<int()>("no_such_function"), nullptr);
    EXPECT_NE(c.error().find("no_such_function"), std::string::npos);
}

}  // namespace
