// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/passwords.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/sanitized.hpp"
#include "child_process.hpp"

namespace sftdyn::accounts {
namespace {

TEST(Passwords, AHashVerifiesItsPasswordAndNoOther) {
    const auto hash = hash_password("correct horse");
    ASSERT_TRUE(hash.has_value());
    EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
    EXPECT_TRUE(check_password_hash(*hash).has_value());
    EXPECT_TRUE(verify_password(*hash, "correct horse").value());
    EXPECT_FALSE(verify_password(*hash, "correct horse ").value());
    EXPECT_FALSE(verify_password(*hash, "").value());
    EXPECT_NE(*hash, *hash_password("correct horse")) << "each has a salt of its own";
}

TEST(Passwords, WhatIsNoHashIsTold) {
    const std::string good =
        "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
    EXPECT_TRUE(check_password_hash(good).has_value());
    for (const std::string bad :
         {"",
          "x",
          "$argon2id$",
          "$argon2id$v=19$m=1024,t=2,p=1$",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$!!!!!!!!!!!!!!!",
          "$argon2id$v=18$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,t=0,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=7,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,t=2,p=0$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$t=2,m=1024,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024;t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,t=2,p=1",
          "$argon2id$v=19$m=1024,t=2",
          "$argon2id$v=19$t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=x$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
          "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA$"}) {
        EXPECT_TRUE(check_password_hash(bad).has_error()) << bad;
        EXPECT_TRUE(verify_password(bad, "x").has_error()) << bad;
    }
    const auto costly = check_password_hash(
        "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA");
    ASSERT_TRUE(costly.has_error());
    EXPECT_NE(costly.error().what.find("too long"), std::string::npos);
}

/// Of "password", made by libargon2's argon2_hash: all types, both versions, one lane and several.
const char* const hashes_of_others[] = {
    "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
    "$argon2id$v=19$m=1024,t=1,p=4$YSBsb25nZXIgc2FsdCBvZiAyNiBvY3RldHM$nFwMZuIaDScSYZUY+"
    "bMsKtHUXxBeFIMiJgbj0EOL4Vw",
    "$argon2i$v=16$m=256,t=2,p=3$c2FsdHNhbHQx$rlnzRy2v5FY0yjs1gmrqvhgupOJUAKyn",
    "$argon2d$v=19$m=128,t=3,p=2$c2FsdHNhbHQxMg$FvTwloohHUpdsSGBlEs5mg",
    "$argon2i$v=19$m=64,t=1,p=8$c2FsdHNhbHQxMjM$CfIGfTT1rmGloVkQ8zuYekeA13CIDGH41A5p14O3DRE+"};

TEST(Passwords, HashesOfOthersAreVerified) {
    for (const char* hash : hashes_of_others) {
        EXPECT_TRUE(check_password_hash(hash).has_value()) << hash;
        EXPECT_TRUE(verify_password(hash, "password").value()) << hash;
        EXPECT_FALSE(verify_password(hash, "passwore").value()) << hash;
    }
}

/// What a child says of it, whose address space ends `room` octets above what it has.
std::string verified_with(rlim_t room, const std::string& hash, const char* password) {
    return in_child([&]() -> std::string {
        std::ifstream file("/proc/self/statm");
        rlim_t pages = 0;
        file >> pages;
        const rlim_t size = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + room;
        const rlimit limit{size, size};
        if (setrlimit(RLIMIT_AS, &limit) != 0) return "no limit";
        const auto right = verify_password(hash, password);
        return right.has_error() ? "unknown: " + right.error().what : *right ? "right" : "wrong";
    });
}

TEST(Passwords, WithoutMemoryNothingIsSaidOfAPassword) {
    if (base::sanitized) GTEST_SKIP() << "its run-time takes address space as it likes";
    // More than other tests may have left free.
    const std::string large = "$argon2id$v=19$m=262144,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
    EXPECT_EQ(verified_with(1 << 20, large, "x"), "unknown: Memory allocation error");
    EXPECT_EQ(verified_with(1 << 20, hashes_of_others[0], "password"), "right");
}

/// Several lanes need no thread: there is no room for the stack of one.
TEST(Passwords, LanesTakeNoThread) {
    if (base::sanitized) GTEST_SKIP() << "its run-time takes address space as it likes";
    const char* const four_lanes = hashes_of_others[1];
    EXPECT_EQ(verified_with(4 << 20, four_lanes, "password"), "right");
    EXPECT_EQ(verified_with(4 << 20, four_lanes, "another"), "wrong");
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
}  // namespace sftdyn::accounts
