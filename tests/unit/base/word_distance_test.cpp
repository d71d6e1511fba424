// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/word_distance.hpp"

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(WordDistance, ASlipOfTheKeyboardIsNear) {
    for (const char* word : {"doctor", "doctr", "docctor", "dcotor", "doktor"})
        EXPECT_TRUE(is_near(word, "doctor")) << word;
    EXPECT_TRUE(is_near("seutp", "setup"));
    EXPECT_TRUE(is_near("pasword", "password"));
    EXPECT_TRUE(is_near("paswrod", "password")) << "two of a long word";
}

TEST(WordDistance, OtherWordsAreNot) {
    for (const char* word : {"", "nonsense", "doc", "doctorate", "help"})
        EXPECT_FALSE(is_near(word, "doctor")) << word;
    EXPECT_FALSE(is_near("stup", "status"));
    EXPECT_FALSE(is_near("x", "ab")) << "half of a very short word";
}

}  // namespace
}  // namespace sftdyn::base
