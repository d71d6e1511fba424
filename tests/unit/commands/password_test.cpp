// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/password.hpp"

#include <gmock/gmock.h>

#include "accounts/passwords.hpp"
#include "commands/run_command.hpp"

namespace sftdyn::commands {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The hash without the line end behind it.
std::string hash_of(const Ran& ran) {
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_TRUE(ran.out.ends_with('\n'));
    EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1);
    return ran.out.substr(0, ran.out.find('\n'));
}

TEST(Password, TheFirstLineIsHashed) {
    const Ran ran = run_command({"password"}, {.input = "a b'\xc3\xbc \r\nanother\n"});
    const std::string hash = hash_of(ran);
    EXPECT_THAT(hash, StartsWith("$argon2id$"));
    EXPECT_TRUE(accounts::verify_password(hash, "a b'\xc3\xbc ").value());
    EXPECT_EQ(ran.err, "") << "nobody is asked";
    EXPECT_TRUE(
        accounts::verify_password(hash_of(run_command({"password"}, {.input = "x"})), "x").value());
}

TEST(Password, NoneIsAnError) {
    for (const char* input : {"", "\n", "\r\n", "\nsecond\n"}) {
        const Ran ran = run_command({"password"}, {.input = input});
        EXPECT_EQ(ran.status, 1);
        EXPECT_THAT(ran.err, HasSubstr("there is no password"));
        EXPECT_EQ(ran.out, "");
    }
}

TEST(Password, WhoTypesItIsAskedTwice) {
    const Ran same = run_command({"password"}, {.input = "secret\nsecret\n", .is_typed = true});
    EXPECT_TRUE(accounts::verify_password(hash_of(same), "secret").value());
    EXPECT_EQ(same.err, "Password: \nAgain: \n");
    const Ran other = run_command({"password"}, {.input = "secret\nsecret2\n", .is_typed = true});
    EXPECT_EQ(other.status, 1);
    EXPECT_THAT(other.err, HasSubstr("they are not the same\n"));
    EXPECT_THAT(other.err, Not(HasSubstr("secret")));
    EXPECT_EQ(other.out, "");
}

}  // namespace
}  // namespace sftdyn::commands
