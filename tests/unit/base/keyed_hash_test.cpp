// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/keyed_hash.hpp"

#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace sftdyn::base {
namespace {

TEST(KeyedHash, IsTheSameForTheSameTextAndKey) {
    const KeyedHash hash;
    const KeyedHash copy(hash);  // NOLINT(performance-unnecessary-copy-initialization): that is it
    for (const std::string& text : {std::string(), std::string("a"), std::string(1000, 'x')}) {
        EXPECT_EQ(hash(text), hash(text));
        EXPECT_EQ(copy(text), hash(text));
    }
}

TEST(KeyedHash, EachObjectHasAKeyOfItsOwn) {
    const KeyedHash one, other;
    EXPECT_NE(one("a"), other("a"));
    EXPECT_NE(one(""), other(""));
}

TEST(KeyedHash, TheWholeTextCounts) {
    const KeyedHash hash;
    std::set<KeyedHash::Digest> digests;
    std::size_t count = 0;
    const auto add = [&](std::string_view text) {
        digests.insert(hash(text));
        ++count;
    };
    for (std::size_t size = 0; size < 40; ++size) add(std::string(size, 'x'));
    for (std::size_t at = 0; at < 40; ++at) {
        std::string text(40, 'x');
        text[at] = 'y';
        add(text);
    }
    add(std::string_view("a\0b", 3));
    add(std::string_view("a\0c", 3));
    add("a");
    EXPECT_EQ(digests.size(), count);
    std::set<std::uint64_t> first, second;
    for (const auto& digest : digests) {
        first.insert(digest[0]);
        second.insert(digest[1]);
    }
    EXPECT_EQ(first.size(), count) << "each half is a hash";
    EXPECT_EQ(second.size(), count);
}

TEST(KeyedHash, WhereOneTextEndsCounts) {
    const KeyedHash hash;
    const std::set<KeyedHash::Digest> digests{hash.of_all({"ab", "c"}), hash.of_all({"a", "bc"}),
                                              hash.of_all({"abc", ""}), hash.of_all({"abc"}),
                                              hash.of_all({"", "abc"}), hash("abc")};
    EXPECT_EQ(digests.size(), 6U);
    EXPECT_EQ(hash.of_all({"ab", "c"}), hash.of_all({"ab", "c"}));
}

TEST(KeyedHash, EveryThreadHashesAlike) {
    const KeyedHash hash;
    const auto here = hash("text");
    KeyedHash::Digest there{};
    std::thread([&] {
        static_cast<void>(KeyedHash()("another object's"));
        there = hash("text");
    }).join();
    EXPECT_EQ(there, here);
}

}  // namespace
}  // namespace sftdyn::base
