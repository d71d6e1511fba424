// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/withdrawals.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

class WithdrawalsTest : public EnginePartsTest {};

TEST_F(WithdrawalsTest, OneWithoutAZoneFailsWithTheReasonAndSoDoesAllThatWaits) {
    backend.zones.clear();
    const Told& first = submit(1, address(1));
    const Told& second = submit(1, address(2));
    const Told& other = submit(2, address(1));
    backend.queue.at(0)();
    EXPECT_EQ(status(first), UpdateStatus::failed);
    EXPECT_EQ(status(second), UpdateStatus::failed);
    EXPECT_FALSE(other.has_value());
    EXPECT_THAT(failures,
                ElementsAre("h1.dyn.example.org A: no zone", "h1.dyn.example.org A: no zone"));
    EXPECT_EQ(parts.rrsets.waiting(), 1U);
}

TEST_F(WithdrawalsTest, AHostWhoseZoneIsFoundToBeFullIsTurnedAway) {
    parts.limits.queue = 2;
    backend.hold_contacts = true;
    std::vector<Told*> told;
    for (int number = 1; number <= 4; ++number) {
        told.push_back(&submit(number, address(1)));
        EXPECT_FALSE(told.back()->has_value()) << "nobody waits whose zone is unknown";
        backend.run_searches();
    }
    EXPECT_FALSE(told[0]->has_value());
    EXPECT_FALSE(told[1]->has_value());
    for (const int late : {2, 3}) {
        EXPECT_EQ(status(*told[static_cast<std::size_t>(late)]), UpdateStatus::overloaded);
        EXPECT_EQ((*told[static_cast<std::size_t>(late)])->retry_after, 5s);
    }
    EXPECT_EQ(parts.rrsets.waiting(), 2U);
    EXPECT_EQ(parts.rrsets.size(), 2U);
    EXPECT_TRUE(failures.empty()) << "it is no failure of the DNS";
    backend.make_contact();
    backend.run();
    EXPECT_EQ(status(*told[0]), UpdateStatus::committed);
    EXPECT_EQ(status(*told[1]), UpdateStatus::committed);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(WithdrawalsTest, OfAHostThatFillsItsZoneTheLastToComeAreTurnedAway) {
    parts.limits.queue = 3;
    backend.hold_contacts = true;
    submit(1, address(1));
    backend.run_searches();
    const Told& first = submit(2, address(1));
    const Told& second = submit(2, address(1), aaaa);
    const Told& third = submit(2, address(2));
    EXPECT_FALSE(third.has_value());
    backend.run_searches();
    EXPECT_FALSE(first.has_value());
    EXPECT_FALSE(second.has_value());
    EXPECT_EQ(status(third), UpdateStatus::overloaded);
    EXPECT_EQ(state(rrset(2)), RrsetState::blocked);
    EXPECT_EQ(state(rrset(2, aaaa)), RrsetState::blocked);
}

TEST_F(WithdrawalsTest, AGroupIsTurnedAwayAsAWhole) {
    parts.limits.queue = 1;
    backend.hold_contacts = true;
    submit(1, address(1));
    backend.run_searches();
    const auto& group = submit_group({record(2, address(1)), record(3, address(1))});
    EXPECT_TRUE(group.empty());
    backend.run_searches();
    EXPECT_THAT(statuses(group), ElementsAre(UpdateStatus::overloaded, UpdateStatus::overloaded));
    EXPECT_EQ(parts.rrsets.size(), 1U);
}

TEST_F(WithdrawalsTest, AScriptIsNotTurnedAwayWithItsHost) {
    parts.limits.queue = 1;
    backend.hold_contacts = true;
    submit(1, address(1));
    backend.run_searches();
    const Told& script = submit_script(2, {message_for(2, address(1))});
    const Told& behind = submit(2, address(2));
    EXPECT_EQ(status(behind), UpdateStatus::overloaded) << "the script has taken the place";
    backend.run_searches();
    EXPECT_FALSE(script.has_value());
    backend.make_contact();
    backend.run();
    EXPECT_EQ(status(script), UpdateStatus::committed);
}

TEST_F(WithdrawalsTest, WhatHasPassedItsDeadlineFailsAndWhatHasNotWaits) {
    const Told& first = submit(1, address(1));
    now += 1s;
    const Told& second = submit(1, address(2));
    tick_after(4s - 1ns);
    EXPECT_FALSE(first.has_value());
    tick_after(1ns);
    EXPECT_EQ(status(first), UpdateStatus::failed);
    EXPECT_FALSE(second.has_value());
    EXPECT_THAT(failures, ElementsAre("h1.dyn.example.org A: it was not done in time"));
    backend.run();
    EXPECT_EQ(status(second), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), a), ElementsAre(address(2)));
}

TEST_F(WithdrawalsTest, WhyItWasTooLateIsTold) {
    backend.hold_contacts = true;
    submit(1, address(1));
    backend.run_searches();
    tick_after(5s);
    EXPECT_THAT(failures.at(0), HasSubstr("did not answer the first UPDATE of the zone"));
    backend.make_contact();
    backend.run();
    submit(1, address(1));
    backend.run_queries();
    lose(backend.take_update());
    submit(1, address(2));
    tick_after(5s);
    EXPECT_THAT(failures.at(2), HasSubstr("an earlier UPDATE of the zone is still unanswered"));
}

}  // namespace
}  // namespace sftdyn::update
