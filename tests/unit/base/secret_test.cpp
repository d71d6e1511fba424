// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/secret.hpp"

#include <sstream>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

using sftdyn::base::Secret;

template <class T, class = void>
struct IsPrintable : std::false_type {};
template <class T>
struct IsPrintable<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<T>())>>
    : std::true_type {};

TEST(Secret, IsNotPrintable) { EXPECT_FALSE(IsPrintable<Secret>::value); }

TEST(Secret, MovingEmptiesTheSource) {
    Secret from("short");
    const Secret to(std::move(from));
    EXPECT_EQ(to.reveal(), "short");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST(Secret, MovingNeedsNoMemory) {
    Secret from(std::string(100, 'x'));
    const char* const where = from.c_str();
    Secret to(std::move(from));
    EXPECT_EQ(to.c_str(), where);
    Secret assigned("other");
    assigned = std::move(to);
    EXPECT_EQ(assigned.c_str(), where);
}

TEST(Secret, OfAShortOneThatWasMovedFromNothingIsLeft) {
    Secret from("visible");
    const char* const where = from.c_str();
    Secret to(std::move(from));
    EXPECT_EQ(std::string(where, 7), std::string(7, '\0'));
    const char* const inside = to.c_str();
    Secret assigned;
    assigned = std::move(to);
    EXPECT_EQ(std::string(inside, 7), std::string(7, '\0'));
    EXPECT_EQ(assigned.reveal(), "visible");
}

TEST(Secret, AssigningKeepsTheValue) {
    const Secret from(std::string(100, 'x'));
    Secret to("other");
    to = from;
    EXPECT_EQ(to.reveal(), from.reveal());
}

TEST(Secret, WipingLeavesNoCharacters) {
    std::string text = "visible";
    const char* where = text.data();
    sftdyn::base::zeroize(text);
    EXPECT_TRUE(text.empty());
    for (int i = 0; i < 7; ++i) EXPECT_EQ(where[i], '\0');
}

TEST(Masked, HidesWhatTheTextHasOfTheSecret) {
    using sftdyn::base::redacted;
    EXPECT_EQ(redacted("no such key: s3cretkey!", "s3cretkey"), "no such key: [hidden]!");
    EXPECT_EQ(redacted("the part 3cretk of it", "s3cretkey"), "the part [hidden] of it");
    EXPECT_EQ(redacted("short abc, abcd", "abc"), "short [hidden], [hidden]d");
    EXPECT_EQ(redacted("nothing of it", "s3cretkey"), "nothing of it");
    EXPECT_EQ(redacted("anything", ""), "anything");
    EXPECT_EQ(redacted("", "secret"), "");
    EXPECT_EQ(redacted("a kk b", "kk"), "a kk b");
}
