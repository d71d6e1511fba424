// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/random.hpp"

#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(Random, NothingComesTwice) {
    std::set<std::uint64_t> numbers;
    for (int i = 0; i < 10000; ++i) {
        // What does not divide the buffer evenly goes between.
        if (i % 3 == 0) static_cast<void>(random_u16());
        if (i % 7 == 0) static_cast<void>(random_hex(1));
        numbers.insert(random_u64());
    }
    EXPECT_EQ(numbers.size(), 10000U);
}

TEST(Random, EveryBitIsUsed) {
    std::uint64_t some = 0, all = ~std::uint64_t(0);
    std::uint16_t some_short = 0, all_short = 0xffff;
    // With a chance of one in 10^59 that a bit is always the same.
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t number = random_u64();
        const std::uint16_t small = random_u16();
        some |= number;
        all &= number;
        some_short = static_cast<std::uint16_t>(some_short | small);
        all_short = static_cast<std::uint16_t>(all_short & small);
    }
    EXPECT_EQ(some, ~std::uint64_t(0));
    EXPECT_EQ(all, 0U);
    EXPECT_EQ(some_short, 0xffff);
    EXPECT_EQ(all_short, 0);
}

TEST(Random, HexHasTwoLowerCaseDigitsForEachByte) {
    EXPECT_EQ(random_hex(0), "");
    const std::string text = random_hex(4000);
    EXPECT_EQ(text.size(), 8000U);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
    std::set<char> even, odd;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        even.insert(text[i]);
        odd.insert(text[i + 1]);
    }
    EXPECT_EQ(even.size(), 16U);
    EXPECT_EQ(odd.size(), 16U);
}

TEST(Random, ThreadsHaveTheirOwn) {
    std::uint64_t other = 0;
    std::thread([&] { other = random_u64(); }).join();
    std::uint64_t another = 0;
    std::thread([&] { another = random_u64(); }).join();
    EXPECT_NE(other, another);
    EXPECT_NE(random_u64(), other);
}

}  // namespace
}  // namespace sftdyn::base
