// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/desired_record.hpp"

#include <gtest/gtest.h>

namespace sftdyn::update {
namespace {

struct ServedCase {
    const char* name;
    dns::ChangeKind kind;
    std::vector<std::string> served;
    bool expected;
};

class Matches : public testing::TestWithParam<ServedCase> {};

TEST_P(Matches, WhatIsAskedFor) {
    DesiredRecord desired;
    desired.kind = GetParam().kind;
    desired.rdata = "mine";
    EXPECT_EQ(matches(ServedRecords{.rdata = GetParam().served}, desired), GetParam().expected);
    const ServedRecords unknown{.rdata = GetParam().served, .is_known = false};
    EXPECT_FALSE(matches(unknown, desired)) << "the server can't be asked";
    const ServedRecords otherwise{.rdata = GetParam().served, .ttl = 1};
    const bool replaces = GetParam().kind == dns::ChangeKind::replace;
    EXPECT_EQ(matches(otherwise, desired), GetParam().expected && !replaces) << "another TTL";
}

INSTANTIATE_TEST_SUITE_P(
    Served, Matches,
    testing::Values(
        ServedCase{"ReplaceByTheSame", dns::ChangeKind::replace, {"mine"}, true},
        ServedCase{"ReplaceByAnother", dns::ChangeKind::replace, {"othr"}, false},
        ServedCase{"ReplaceNothing", dns::ChangeKind::replace, {}, false},
        ServedCase{"ReplaceSeveral", dns::ChangeKind::replace, {"mine", "othr"}, false},
        ServedCase{"RemoveNothing", dns::ChangeKind::remove, {}, true},
        ServedCase{"RemoveOne", dns::ChangeKind::remove, {"mine"}, false},
        ServedCase{"RemoveAnother", dns::ChangeKind::remove, {"othr"}, false},
        ServedCase{"RemoveOnesOwnOfNone", dns::ChangeKind::remove_record, {}, true},
        ServedCase{"RemoveOnesOwnOfOthers", dns::ChangeKind::remove_record, {"othr"}, true},
        ServedCase{"RemoveOnesOwn", dns::ChangeKind::remove_record, {"othr", "mine"}, false},
        ServedCase{"ClaimWhereNoneIs", dns::ChangeKind::claim, {}, false},
        ServedCase{"ClaimOnesOwn", dns::ChangeKind::claim, {"mine"}, true},
        ServedCase{"ClaimAnothers", dns::ChangeKind::claim, {"othr"}, true}),
    [](const auto& row) { return row.param.name; });

TEST(DesiredRecord, SaysNothingThatWasNotSaid) {
    const DesiredRecord desired;
    EXPECT_EQ(desired.ttl, 0U) << "the configuration has the default";
    EXPECT_FALSE(desired.reverse || desired.unmetered || desired.at_source);
}

}  // namespace
}  // namespace sftdyn::update
