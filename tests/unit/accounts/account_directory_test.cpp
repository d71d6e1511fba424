// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/account_directory.hpp"

#include <string>

#include <gtest/gtest.h>

using sftdyn::accounts::AccountDirectory;
using sftdyn::accounts::Client;

TEST(AccountDirectory, FindsWhatWasAdded) {
    AccountDirectory directory;
    EXPECT_EQ(directory.find("a"), nullptr);
    for (unsigned i = 0; i < 5000; ++i)
        ASSERT_TRUE(directory.add("key" + std::to_string(i), {i, i + 1, false}));
    for (unsigned i = 0; i < 5000; ++i) {
        const auto* entry = directory.find("key" + std::to_string(i));
        ASSERT_NE(entry, nullptr);
        EXPECT_EQ(entry->host, i);
        EXPECT_EQ(entry->ttl, i + 1);
    }
    EXPECT_EQ(directory.find("key5000"), nullptr);
    EXPECT_EQ(directory.find("key"), nullptr);
    EXPECT_EQ(directory.find(""), nullptr);
    EXPECT_EQ(directory.size(), 5000U);
}

TEST(AccountDirectory, AKeyIsThereOnce) {
    AccountDirectory directory;
    EXPECT_TRUE(directory.add("k", {1, 1, false}));
    EXPECT_FALSE(directory.add("k", {2, 2, false}));
    EXPECT_EQ(directory.find("k")->host, 1U);
}

TEST(AccountDirectory, AUserIsThereOnceAndOfHostsTheFirst) {
    AccountDirectory directory;
    const auto first = directory.add(Client{"first", {{.host = 1}, {.host = 2}}, true});
    const auto second = directory.add(Client{"second", {{.host = 2}, {.host = 3}}, true});
    EXPECT_TRUE(directory.add_user("user", first, "one", ""));
    EXPECT_FALSE(directory.add_user("user", second, "two", ""));
    ASSERT_NE(directory.user("user"), nullptr);
    EXPECT_TRUE(directory.is_password(*directory.user("user"), "one"));
    EXPECT_FALSE(directory.is_password(*directory.user("user"), "two"));
    EXPECT_EQ(directory.user_of(3), nullptr) << "nothing of the second was taken";
    EXPECT_TRUE(directory.add_user("other", second, "two", ""));
    ASSERT_NE(directory.user_of(2), nullptr);
    EXPECT_EQ(*directory.user_of(2), "user");
    ASSERT_NE(directory.user_of(3), nullptr);
    EXPECT_EQ(*directory.user_of(3), "other");
}

TEST(AccountDirectory, KeysMayHoldAnyOctet) {
    AccountDirectory directory;
    const std::string one("a\0b", 3), two("a\0c", 3);
    EXPECT_TRUE(directory.add(one, {1, 1, false}));
    EXPECT_TRUE(directory.add(two, {2, 1, false}));
    EXPECT_EQ(directory.find(two)->host, 2U);
    EXPECT_EQ(directory.find("a"), nullptr);
}

TEST(AccountDirectory, NobodysNamesCostWhatUsersCost) {
    AccountDirectory directory;
    EXPECT_EQ(directory.dummy_hash("nobody"), "");
    const auto client = directory.add(sftdyn::accounts::Client{});
    ASSERT_TRUE(directory.add_user("plain", client, "password", ""));
    EXPECT_EQ(directory.dummy_hash("nobody"), "") << "no user has a hash";

    const std::string cheap = "$argon2id$v=19$m=8,t=1,p=1$", dear = "$argon2id$v=19$m=64,t=9,p=1$";
    ASSERT_TRUE(directory.add_user("a", client, "", cheap + "c2FsdHNhbHQ$aGFzaGhhc2g"));
    ASSERT_TRUE(directory.add_user("b", client, "", dear + "c2FsdHNhbHQ$aGFzaGhhc2g"));
    for (int number = 0; number < 1000; ++number) {
        const auto name = "like a" + std::to_string(number);
        ASSERT_TRUE(directory.add_user(name, client, "", cheap + "b3RoZXJzYWx0$b3RoZXJoYXNo"));
    }
    // As after a reload, which makes the directory anew.
    AccountDirectory reloaded;
    const auto again = reloaded.add(sftdyn::accounts::Client{});
    ASSERT_TRUE(reloaded.add_user("a", again, "", cheap + "c2FsdHNhbHQ$aGFzaGhhc2g"));
    ASSERT_TRUE(reloaded.add_user("b", again, "", dear + "c2FsdHNhbHQ$aGFzaGhhc2g"));
    int dear_ones = 0;
    for (int number = 0; number < 200; ++number) {
        const auto name = "nobody" + std::to_string(number);
        const std::string hash = directory.dummy_hash(name);
        EXPECT_EQ(directory.dummy_hash(name), hash) << "the same each time";
        EXPECT_EQ(reloaded.dummy_hash(name), hash) << "and over a reload";
        dear_ones += hash.starts_with(dear) ? 1 : 0;
    }
    EXPECT_GT(dear_ones, 50);
    EXPECT_LT(dear_ones, 150);
}
