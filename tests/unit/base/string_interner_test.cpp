// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/string_interner.hpp"

#include <gtest/gtest.h>

using sftdyn::base::StringInterner;

TEST(StringInterner, NumbersInOrderAndKeepsEachOnce) {
    StringInterner table;
    for (int round = 0; round < 2; ++round) {
        for (unsigned i = 0; i < 1000; ++i) {
            const auto [number, is_new] = table.insert(std::string(i % 7, 'x') + std::to_string(i));
            EXPECT_EQ(number, i);
            EXPECT_EQ(is_new, round == 0);
        }
    }
    EXPECT_EQ(table.size(), 1000U);
    EXPECT_EQ(table.view(999), "xxxxx999");
}

TEST(StringInterner, TheEmptyStringIsOneToo) {
    StringInterner table;
    EXPECT_TRUE(table.insert("").second);
    EXPECT_TRUE(table.insert("a").second);
    EXPECT_FALSE(table.insert("").second);
    EXPECT_EQ(table.view(0), "");
    EXPECT_EQ(table.view(1), "a");
}

TEST(StringInterner, WipingForgets) {
    StringInterner table;
    table.insert("secret");
    table.zeroize();
    EXPECT_EQ(table.size(), 0U);
    EXPECT_TRUE(table.insert("secret").second);
}
