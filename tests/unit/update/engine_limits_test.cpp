// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/engine_limits.hpp"

#include <gtest/gtest.h>

#include "names.hpp"

namespace sftdyn::update {
namespace {

using namespace std::chrono_literals;

TEST(EngineLimits, TheLongestZoneThatHoldsTheNameHasItsTimeout) {
    EngineLimits limits;
    limits.timeout = 5s;
    EXPECT_EQ(limits.timeout_of(name("a.b.example")), 5s);
    EXPECT_EQ(limits.shortest_timeout(), 5s);
    limits.zone_timeouts = {{name("example"), 9s}, {name("b.example"), 2s}, {name("c"), 7s}};
    EXPECT_EQ(limits.timeout_of(name("a.b.example")), 2s);
    EXPECT_EQ(limits.timeout_of(name("b.example")), 2s);
    EXPECT_EQ(limits.timeout_of(name("ab.example")), 9s) << "labels, not characters";
    EXPECT_EQ(limits.timeout_of(name("other")), 5s);
    EXPECT_EQ(limits.shortest_timeout(), 2s);
}

}  // namespace
}  // namespace sftdyn::update
