// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/base64.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

using namespace sftdyn::base;

namespace {

struct Base64Case {
    const char* octets;
    const char* text;
};

class Base64Test : public testing::TestWithParam<Base64Case> {};

TEST_P(Base64Test, GoesThereAndBack) {
    const std::string_view octets = GetParam().octets;
    EXPECT_EQ(
        base64_encoded({reinterpret_cast<const unsigned char*>(octets.data()), octets.size()}),
        GetParam().text);
    const auto decoded = base64_decoded(GetParam().text);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->reveal(), octets);
}

// RFC 4648 §10.
INSTANTIATE_TEST_SUITE_P(Rfc4648, Base64Test,
                         testing::Values(Base64Case{"f", "Zg=="}, Base64Case{"fo", "Zm8="},
                                         Base64Case{"foo", "Zm9v"}, Base64Case{"foob", "Zm9vYg=="},
                                         Base64Case{"fooba", "Zm9vYmE="},
                                         Base64Case{"foobar", "Zm9vYmFy"}));

class NoBase64Test : public testing::TestWithParam<const char*> {};

TEST_P(NoBase64Test, IsNotDecoded) {
    EXPECT_FALSE(is_base64(GetParam()));
    EXPECT_FALSE(base64_decoded(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Texts, NoBase64Test,
                         testing::Values("", "Zg=", "Zg", "Zm9v\n", " Zm9v", "Zm9=v",
                                         "====", "Z===", "Zm-_", "Zg==Zg=="));

}  // namespace
