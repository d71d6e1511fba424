// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/trusted_accounts.hpp"

#include <pwd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/system_user.hpp"

namespace sftdyn::commands {
namespace {

using SecretKind = TrustedAccounts::SecretKind;
constexpr SecretKind all_secrets[] = {SecretKind::clients_keys, SecretKind::tsig_key,
                                      SecretKind::private_key};

config::Settings run_as(const char* user) {
    config::Settings settings;
    settings.user = user;
    return settings;
}

TEST(TrustedAccounts, RootAndThisUserAlways) {
    for (const SecretKind secret : all_secrets) {
        const TrustedAccounts trusted(run_as("no-such-user"), secret);
        EXPECT_TRUE(trusted.is_user(0));
        EXPECT_TRUE(trusted.is_group(0));
        EXPECT_TRUE(trusted.is_user(geteuid()));
        EXPECT_FALSE(trusted.is_user(54321));
        EXPECT_FALSE(trusted.is_group(54321));
    }
}

TEST(TrustedAccounts, TheServicesUserWithItsGroup) {
    const auto games = base::find_user(std::string("games"));
    ASSERT_TRUE(games.has_value());
    for (const SecretKind secret : all_secrets) {
        const TrustedAccounts trusted(run_as("games"), secret);
        EXPECT_TRUE(trusted.is_user(games->uid));
        EXPECT_TRUE(trusted.is_group(games->gid));
        EXPECT_FALSE(TrustedAccounts(run_as("mail"), secret).is_user(games->uid));
    }
}

TEST(TrustedAccounts, ADnsServerMayHaveItsTsigKeyAndNothingElse) {
    const auto server = base::find_user(std::string("bind"));
    if (!server) GTEST_SKIP() << "no DNS server has a user here";
    EXPECT_TRUE(TrustedAccounts(run_as("games"), SecretKind::tsig_key).is_user(server->uid));
    EXPECT_TRUE(TrustedAccounts(run_as("games"), SecretKind::tsig_key).is_group(server->gid));
    EXPECT_FALSE(TrustedAccounts(run_as("games"), SecretKind::clients_keys).is_user(server->uid));
    EXPECT_FALSE(TrustedAccounts(run_as("games"), SecretKind::private_key).is_group(server->gid));
}

TEST(TrustedAccounts, TheServiceRunsAsThePackagesUserUnlessTheFileNamesOne) {
    EXPECT_EQ(name_of_service_user({}), "sftdyn");
    EXPECT_EQ(name_of_service_user(run_as("alice")), "alice");
}

TEST(TrustedAccounts, AccountsAreCalledByNameOrElseByNumber) {
    EXPECT_EQ(text_of_user(0), "the user root");
    EXPECT_EQ(text_of_group(0), "the group root");
    EXPECT_EQ(text_of_user(54321), "the user with the number 54321");
    EXPECT_EQ(text_of_group(54321), "the group 54321");
}

}  // namespace
}  // namespace sftdyn::commands
