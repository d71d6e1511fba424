// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/passwords.hpp"

#include <gtest/gtest.h>

using namespace sftdyn::accounts;

namespace {

TEST(Passwords, AHashVerifiesItsPasswordAndNoOther) {
    const auto hash = hash_password("correct horse");
    ASSERT_TRUE(hash.has_value());
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
    EXPECT_TRUE(check_password_hash(*hash).has_value());
    EXPECT_TRUE(verify_password(*hash, "correct horse"));
    EXPECT_FALSE(verify_password(*hash, "correct horse "));
    EXPECT_FALSE(verify_password(*hash, ""));
    EXPECT_NE(*hash, *hash_password("correct horse")) << "each has a salt of its own";
}

TEST(Passwords, WhatIsNoHashIsTold) {
    const std::string good =
        "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
    EXPECT_TRUE(check_password_hash(good).has_value());
    for (const std::string bad :
         {"", "x", "$argon2id$", "$argon2id$v=19$m=1024,t=2,p=1$",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$!!!!!!!!!!!!!!!"}) {
        EXPECT_TRUE(check_password_hash(bad).has_error()) << bad;
        EXPECT_FALSE(verify_password(bad, "x")) << bad;
    }
    const auto costly = check_password_hash(
        "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA");
    ASSERT_TRUE(costly.has_error());
    EXPECT_NE(costly.error().what.find("too long"), std::string::npos);
}

TEST(VerifiedPasswords, AreRememberedRightOrWrong) {
    VerifiedPasswords verified;
    EXPECT_FALSE(verified.known({"u", "h", "p"}));
    verified.remember({"u", "h", "p"}, true);
    verified.remember({"u", "h", "q"}, false);
    EXPECT_EQ(verified.known({"u", "h", "p"}), true);
    EXPECT_EQ(verified.known({"u", "h", "q"}), false);
    EXPECT_FALSE(verified.known({"u", "i", "p"})) << "another hash is another password";
    EXPECT_FALSE(verified.known({"v", "h", "p"})) << "it was not tried with this name";
    EXPECT_FALSE(verified.known({"uh", "", "p"})) << "the parts are apart";
}

TEST(VerifiedPasswords, WrongOnesMakeRoomForRightOnes) {
    VerifiedPasswords verified;
    verified.remember({"u", "h", "right"}, true);
    for (int i = 0; i < 100'000; ++i) verified.remember({"u", "h", std::to_string(i)}, false);
    EXPECT_LE(verified.size(), std::size_t(1) << 16);
    EXPECT_EQ(verified.known({"u", "h", "right"}), true);
}

}  // namespace
