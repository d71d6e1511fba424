// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/target_queue.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::update;
using State = TargetQueue::State;

namespace {

const base::TimePoint queue_time{1h};

TargetQueue::Waiting waiting_record(std::uint64_t ticket) {
    DesiredRecord desired;
    desired.target = {1, dns::Type::a};
    desired.rdata = "abcd";
    return {desired, {}, queue_time, ticket};
}

TEST(TargetQueue, TheStatesHaveOnlyTheWaysOfTheTable) {
    const std::vector<std::vector<State>> ways = {
        {State::idle, State::finding_zone, State::blocked, State::asking, State::ready,
         State::queued, State::answering},                                 // from idle
        {State::idle},                                                     // finding_zone
        {State::idle},                                                     // blocked
        {State::idle},                                                     // asking
        {State::idle, State::queued, State::in_flight, State::answering},  // ready
        {State::idle, State::in_flight},                                   // queued
        {State::idle, State::queued},                                      // in_flight
        {State::idle}};                                                    // answering
    for (std::size_t from = 0; from < ways.size(); ++from) {
        for (std::size_t to = 0; to < ways.size(); ++to) {
            const bool expected =
                std::find(ways[from].begin(), ways[from].end(), State(to)) != ways[from].end();
            EXPECT_EQ(TargetQueue::may_follow(State(from), State(to)), expected)
                << from << " to " << to;
        }
    }
}

TEST(TargetQueue, WhatIsServedIsBelievedForAWhileUnlessItWasAskedJustNow) {
    TargetQueue queue;
    EXPECT_FALSE(queue.is_served_known(queue_time));
    queue.set_served({"abcd"}, queue_time, false);
    EXPECT_TRUE(queue.is_served_known(queue_time - 1ns));
    EXPECT_FALSE(queue.is_served_known(queue_time));
    queue.set_served({"abcd"}, queue_time, true);
    EXPECT_TRUE(queue.is_served_known(queue_time + 1h));
    queue.end_verified();
    EXPECT_FALSE(queue.is_served_known(queue_time + 1h));
}

TEST(TargetQueue, AnAnswerThatIsAwaitedIsInvalidatedOnce) {
    TargetQueue queue;
    queue.invalidate();
    EXPECT_FALSE(queue.was_invalidated()) << "nothing is asked";
    queue.push(waiting_record(1));
    queue.enter(State::asking);
    queue.invalidate();
    EXPECT_TRUE(queue.was_invalidated());
    EXPECT_FALSE(queue.was_invalidated());
    queue.invalidate();
    queue.enter(State::idle);
    EXPECT_FALSE(queue.was_invalidated()) << "the answer has come";
}

TEST(TargetQueue, ADecisionIsForOneDesiredRecordAndUndoneOnce) {
    TargetQueue queue;
    queue.push(waiting_record(1));
    queue.push(waiting_record(2));
    queue.set_cost(true, false);
    queue.queue_change(dns::Name::parse("h.example.org").value());
    EXPECT_EQ(queue.state(), State::queued);
    EXPECT_TRUE(queue.is_still_wanted());
    EXPECT_TRUE(queue.undo_decision());
    EXPECT_FALSE(queue.undo_decision());
    EXPECT_TRUE(queue.take(1).has_value());
    EXPECT_FALSE(queue.take(1).has_value());
    EXPECT_FALSE(queue.is_still_wanted());
    EXPECT_TRUE(queue.take_payment());
    EXPECT_FALSE(queue.take_payment());
}

}  // namespace
