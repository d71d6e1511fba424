// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/sharded.hpp"

#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

using namespace sftdyn::base;

namespace {

struct ShardOfNumbers {
    std::vector<std::size_t> numbers{};
};

TEST(Sharded, ANumberIsAlwaysInTheSameShardAndNeighboursAreInOthers) {
    Sharded<ShardOfNumbers> table;
    std::set<ShardOfNumbers*> shards;
    for (std::size_t number = 0; number < Sharded<ShardOfNumbers>::count; ++number) {
        EXPECT_EQ(&table.of(number), &table.of(number));
        EXPECT_EQ(&table.of(number), &table.of(number + Sharded<ShardOfNumbers>::count));
        shards.insert(&table.of(number));
    }
    EXPECT_EQ(shards.size(), Sharded<ShardOfNumbers>::count);
}

TEST(Sharded, EachShardIsVisitedOnce) {
    Sharded<ShardOfNumbers> table;
    for (std::size_t number = 0; number < 1000; ++number)
        table.of(number).numbers.push_back(number);
    std::multiset<std::size_t> seen;
    const auto& as_const = table;
    as_const.for_each([&](const ShardOfNumbers& shard) {
        seen.insert(shard.numbers.begin(), shard.numbers.end());
    });
    EXPECT_EQ(seen.size(), 1000U);
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), 1000U);
    table.for_each([](ShardOfNumbers& shard) { shard.numbers.clear(); });
    as_const.for_each([](const ShardOfNumbers& shard) { EXPECT_TRUE(shard.numbers.empty()); });
}

TEST(Sharded, NoTwoShareACacheLine) {
    Sharded<ShardOfNumbers> table;
    std::set<std::uintptr_t> lines;
    table.for_each([&](ShardOfNumbers& shard) {
        lines.insert(reinterpret_cast<std::uintptr_t>(&shard) / 64);
    });
    EXPECT_EQ(lines.size(), Sharded<ShardOfNumbers>::count);
}

}  // namespace
