// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/counter.hpp"

#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sftdyn::telemetry {
namespace {

TEST(Counter, CountsFromZero) {
    Counter counter;
    EXPECT_EQ(counter.value(), 0U);
    counter.add();
    EXPECT_EQ(counter.value(), 1U);
    counter.add(41);
    EXPECT_EQ(counter.value(), 42U);
}

TEST(Counter, OneIsNotAnother) {
    Counter one, other;
    one.add(5);
    EXPECT_EQ(other.value(), 0U);
}

/// More threads than there are places: some share one.
TEST(Counter, NoThreadsCountIsLost) {
    Counter counter;
    std::vector<std::thread> threads;
    for (int i = 0; i < 20; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 10'000; ++n) counter.add(3);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(counter.value(), 600'000U);
}

TEST(Counter, AThreadKeepsItsPlaceAndHasItAlone) {
    const std::size_t own = thread_place();
    EXPECT_EQ(thread_place(), own);
    std::set<std::size_t> places{own};
    for (int i = 0; i < 10; ++i) std::thread([&] { places.insert(thread_place()); }).join();
    EXPECT_EQ(places.size(), 11U);
}

TEST(Histogram, ABoundBelongsToItsRange) {
    Histogram<3> histogram({1, 10, 100});
    for (const double value : {0.0, 1.0, 1.001, 10.0, 99.5, 100.0, 100.5, 1e9})
        histogram.add(value);
    EXPECT_EQ(histogram.count(0), 2U);
    EXPECT_EQ(histogram.count(1), 2U);
    EXPECT_EQ(histogram.count(2), 2U);
    EXPECT_EQ(histogram.count(3), 2U) << "all above the last bound";
    EXPECT_DOUBLE_EQ(histogram.sum(), 0 + 1 + 1.001 + 10 + 99.5 + 100 + 100.5 + 1e9);
    EXPECT_EQ(histogram.bounds()[2], 100);
}

TEST(Histogram, IsEmptyAtFirst) {
    const Histogram<1> histogram({1});
    EXPECT_EQ(histogram.count(0) + histogram.count(1), 0U);
    EXPECT_EQ(histogram.sum(), 0);
}

}  // namespace
}  // namespace sftdyn::telemetry
