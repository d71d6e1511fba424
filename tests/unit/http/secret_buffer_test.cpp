// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/secret_buffer.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/sanitized.hpp"

using sftdyn::http::SecretBuffer;
using sftdyn::http::SecretText;

namespace {

TEST(SecretBuffer, HoldsNothingAtFirst) {
    SecretBuffer buffer;
    EXPECT_EQ(buffer.data(), nullptr);
    EXPECT_EQ(buffer.capacity(), 0U);
    buffer.release();
    EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(SecretBuffer, WhatItHoldsMovesWhenItGrows) {
    SecretBuffer buffer;
    buffer.grow(4);
    EXPECT_EQ(buffer.capacity(), 4U);
    std::memcpy(buffer.data(), "abcd", 4);
    buffer.grow(8);
    EXPECT_EQ(buffer.capacity(), 8U);
    EXPECT_EQ(std::string_view(buffer.data(), 4), "abcd");
}

TEST(SecretBuffer, ItNeverShrinksByGrowing) {
    SecretBuffer buffer;
    buffer.grow(8);
    const char* const place = buffer.data();
    for (const std::size_t size : {8U, 7U, 0U}) {
        buffer.grow(size);
        EXPECT_EQ(buffer.data(), place) << "nothing moves without need";
        EXPECT_EQ(buffer.capacity(), 8U);
    }
}

TEST(SecretBuffer, WithoutMemoryItStaysAsItWas) {
    if (sftdyn::base::sanitized) GTEST_SKIP() << "a sanitizer ends the program for want of memory";
    SecretBuffer buffer;
    buffer.grow(4);
    std::memcpy(buffer.data(), "abcd", 4);
    EXPECT_THROW(buffer.grow(std::numeric_limits<std::size_t>::max() / 2), std::bad_alloc);
    EXPECT_EQ(buffer.capacity(), 4U);
    EXPECT_EQ(std::string_view(buffer.data(), 4), "abcd");
}

TEST(SecretBuffer, ARangeIsZeroizedAndNothingElse) {
    SecretBuffer buffer;
    buffer.grow(6);
    std::memcpy(buffer.data(), "abcdef", 6);
    buffer.zeroize(1, 3);
    EXPECT_EQ(std::string_view(buffer.data(), 6), std::string_view("a\0\0def", 6));
    buffer.zeroize(4, 4);
    buffer.zeroize(5, 2);
    EXPECT_EQ(std::string_view(buffer.data(), 6), std::string_view("a\0\0def", 6));
    buffer.zeroize(0, 6);
    EXPECT_EQ(std::string_view(buffer.data(), 6), std::string_view("\0\0\0\0\0\0", 6));
}

TEST(SecretBuffer, WhatIsReleasedIsGone) {
    SecretBuffer buffer;
    buffer.grow(4);
    buffer.release();
    EXPECT_EQ(buffer.data(), nullptr);
    EXPECT_EQ(buffer.capacity(), 0U);
    buffer.grow(2);
    EXPECT_EQ(buffer.capacity(), 2U);
}

TEST(SecretText, GrowsAsOctetsCome) {
    SecretText text;
    EXPECT_EQ(text.view(), "");
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        const std::string piece(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
        text.append(piece, 10'000);
        all += piece;
        ASSERT_EQ(text.view(), all);
        ASSERT_GE(text.capacity(), all.size());
    }
}

TEST(SecretText, NothingCostsNothing) {
    SecretText text;
    text.append("", 100);
    EXPECT_EQ(text.capacity(), 0U);
}

TEST(SecretText, TakesTwiceWhatCameAndNeverMoreThanItCanBecome) {
    SecretText text;
    text.append("0123456789", 25);
    EXPECT_EQ(text.capacity(), 10U) << "no memory on somebody's word";
    text.append("0", 25);
    EXPECT_EQ(text.capacity(), 20U);
    text.append("0123456789", 25);
    EXPECT_EQ(text.capacity(), 25U);
    text.append("0123", 25);
    EXPECT_EQ(text.capacity(), 25U);
    EXPECT_EQ(text.view(), "0123456789001234567890123");
}

}  // namespace
