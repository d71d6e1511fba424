// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>

#include <gtest/gtest.h>

#include "base/ascii.hpp"
#include "base/number.hpp"

using namespace sftdyn::base;

namespace {

TEST(Ascii, LettersWithoutCase) {
    EXPECT_EQ(ascii_lower("HMAC-Sha256.\xc4"), "hmac-sha256.\xc4");
    EXPECT_TRUE(ascii_iequals("Authorization", "AUTHORIZATION"));
    EXPECT_FALSE(ascii_iequals("a", "ab"));
    EXPECT_FALSE(ascii_iequals("[", "{")) << "32 apart, and no letters";
}

TEST(Number, TheWholeTextOrNothing) {
    EXPECT_EQ(parse_number<unsigned>("0660", 8), 0660U);
    EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
    EXPECT_EQ(parse_number<std::uint32_t>("ffffffff", 16), 0xffffffffU);
    for (const char* text : {"", " 1", "1 ", "+1", "-1", "0x1", "1a", "65536", "99999999999999999"})
        EXPECT_FALSE(parse_number<std::uint16_t>(text)) << text;
}

}  // namespace
