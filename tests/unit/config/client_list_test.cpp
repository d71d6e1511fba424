// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/client_list.hpp"

#include <gtest/gtest.h>

#include "names.hpp"

using namespace sftdyn;
using config::ClientList;

namespace {

TEST(ClientList, KeepsWhatWasAdded) {
    ClientList list;
    EXPECT_FALSE(list.add("k", name("a.org"), {}, 1));
    EXPECT_FALSE(list.add("l", name("b.org"), {60, true}, 2));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[1].key, "l");
    EXPECT_EQ(list[1].host, name("b.org").bytes());
    EXPECT_EQ(list[1].ttl, 60U);
    EXPECT_TRUE(list[1].reverse);
    EXPECT_FALSE(list[0].ttl);
    EXPECT_EQ(list.host_octets(), 14U);
}

TEST(ClientList, ClashesNameTheFirstLine) {
    ClientList list;
    EXPECT_FALSE(list.add("k", name("a.org"), {}, 11));
    auto clash = list.add("l", name("A.org"), {}, 12);
    ASSERT_TRUE(clash);
    EXPECT_EQ(clash->kind, config::ClashKind::host);
    EXPECT_EQ(clash->source.line, 11U);
    clash = list.add("k", name("b.org"), {}, 13);
    ASSERT_TRUE(clash);
    EXPECT_EQ(clash->kind, config::ClashKind::key);
    EXPECT_EQ(clash->source.line, 11U);
    EXPECT_FALSE(list.add("m", name("c.org"), {}, 14));
    EXPECT_EQ(list.add("n", name("c.org"), {}, 15)->source.line, 14U);
}

}  // namespace
