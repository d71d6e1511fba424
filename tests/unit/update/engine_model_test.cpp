// SPDX-License-Identifier: GPL-3.0-or-later
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "update/engine_model.hpp"

using namespace sftdyn::update;

namespace {

TEST(EngineModel, TheTruthIsToldInThousandsOfInterleavings) {
    ModelCounts counts;
    for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
        EngineModel(seed, counts).run(500);
        ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    }
    // The model did get to the point, and each of its parts is at work.
    EXPECT_GT(counts.truths, 100000U);
    const std::map<std::string, unsigned> each{{"scripts_told", counts.scripts_told},
                                               {"groups_told", counts.groups_told},
                                               {"removals_told", counts.removals_told},
                                               {"over_budget", counts.over_budget},
                                               {"turned_away", counts.turned_away},
                                               {"pointers_set", counts.pointers_set},
                                               {"edits", counts.edits},
                                               {"server_changes", counts.server_changes},
                                               {"sent_again", counts.sent_again},
                                               {"late", counts.late},
                                               {"of_earlier_process", counts.of_earlier_process},
                                               {"hidden_told", counts.hidden_told},
                                               {"edits_beside", counts.edits_beside},
                                               {"serials_read", counts.serials_read},
                                               {"told_by_serial", counts.told_by_serial},
                                               {"told_elsewhere", counts.told_elsewhere}};
    for (const auto& [what, count] : each)
        EXPECT_GT(count, what == "told_by_serial" ? 30U : 300U) << what;
}

}  // namespace
