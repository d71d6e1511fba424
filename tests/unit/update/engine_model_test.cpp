// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "update/engine_model.hpp"

using namespace sftdyn::update;

namespace {

TEST(EngineModel, TheTruthIsToldInThousandsOfInterleavings) {
    ModelCounts counts;
    for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
        EngineModel(seed, counts).run(300);
        ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    }
    // The model did get to the point, and each of its parts is at work.
    EXPECT_GT(counts.truths, 100000U);
    for (const unsigned count :
         {counts.scripts_told, counts.groups_told, counts.removals_told, counts.over_budget,
          counts.turned_away, counts.pointers_set, counts.edits, counts.server_changes,
          counts.sent_again, counts.late, counts.of_earlier_process, counts.hidden_told})
        EXPECT_GT(count, 500U);
}

}  // namespace
