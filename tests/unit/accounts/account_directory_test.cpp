#include "accounts/account_directory.hpp"

#include <string>

#include <gtest/gtest.h>

using sftdyn::accounts::AccountDirectory;

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

TEST(AccountDirectory, KeysMayHoldAnyOctet) {
    AccountDirectory directory;
    const std::string one("a\0b", 3), two("a\0c", 3);
    EXPECT_TRUE(directory.add(one, {1, 1, false}));
    EXPECT_TRUE(directory.add(two, {2, 1, false}));
    EXPECT_EQ(directory.find(two)->host, 2U);
    EXPECT_EQ(directory.find("a"), nullptr);
}
