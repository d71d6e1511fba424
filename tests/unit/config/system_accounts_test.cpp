// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/system_accounts.hpp"

#include <sys/resource.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "child_process.hpp"

namespace sftdyn::config {
namespace {

TEST(SystemAccounts, ThoseOfThisMachineAreFound) {
    EXPECT_EQ(group_number("root"), 0U);
    EXPECT_TRUE(is_user("root"));
    EXPECT_NE(group_number("daemon").value_or(0), 0U);
    EXPECT_FALSE(group_number("no-such-group-here"));
    EXPECT_FALSE(is_user("no-such-user-here"));
    EXPECT_FALSE(group_number(""));
    EXPECT_FALSE(is_user(""));
}

TEST(SystemAccounts, AUserMayBeANumber) {
    EXPECT_EQ(user_name("root"), "root");
    EXPECT_EQ(user_name("0"), "root");
    for (const char* wrong : {"", "-1", "0x0", "4294967294", "4294967296", "no-such-user-here"})
        EXPECT_FALSE(user_name(wrong)) << wrong;
}

TEST(SystemAccounts, WhoWasFoundOnceIsKnownWhereNobodyCanBeAsked) {
    const std::string text = in_child([] {
        static_cast<void>(group_number("daemon"));
        static_cast<void>(is_user("daemon"));
        static_cast<void>(is_user("no-such-user-here"));
        // No file, and no directory service.
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        return fmt::format("{} {} {} {} {}", group_number("daemon").has_value(), is_user("daemon"),
                           group_number("bin").has_value(), is_user("bin"),
                           is_user("no-such-user-here"));
    });
    EXPECT_EQ(text, "true true false false false");
}

}  // namespace
}  // namespace sftdyn::config
