// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_error.hpp"

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(SystemError, ItsTextIsTheSystems) {
    EXPECT_EQ(system_error_text(EACCES), "Permission denied");
    EXPECT_EQ(system_error_text(ENOENT), "No such file or directory");
    EXPECT_NE(system_error_text(123456).find("123456"), std::string::npos);
}

TEST(SystemError, ManyThreadsGetTheirOwnText) {
    const std::string denied = system_error_text(EACCES), none = system_error_text(ENOENT);
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

}  // namespace
}  // namespace sftdyn::base
