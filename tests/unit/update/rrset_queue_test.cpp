// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/rrset_queue.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::update;

namespace {

const base::TimePoint queue_time{1h};

RrsetQueue::Waiting waiting_record(std::uint64_t ticket) {
    DesiredRecord desired;
    desired.rrset = {1, dns::Type::a};
    desired.rdata = "abcd";
    return {desired, {}, queue_time, queue_time, ticket};
}

TEST(RrsetQueue, TheStatesHaveOnlyTheWaysOfTheTable) {
    const std::vector<std::vector<RrsetState>> ways = {
        {RrsetState::idle, RrsetState::finding_zone, RrsetState::blocked, RrsetState::confirming,
         RrsetState::asking, RrsetState::ready, RrsetState::queued,
         RrsetState::answering},  // from idle
        {RrsetState::idle},       // finding_zone
        {RrsetState::idle},       // blocked
        {RrsetState::idle},       // confirming
        {RrsetState::idle},       // asking
        {RrsetState::idle, RrsetState::queued, RrsetState::in_flight,
         RrsetState::answering},                                           // ready
        {RrsetState::idle, RrsetState::in_flight},                         // queued
        {RrsetState::idle, RrsetState::queued, RrsetState::reading_back},  // in_flight
        {RrsetState::idle},                                                // reading_back
        {RrsetState::idle}};                                               // answering
    for (std::size_t from = 0; from < ways.size(); ++from) {
        for (std::size_t to = 0; to < ways.size(); ++to) {
            const bool expected =
                std::find(ways[from].begin(), ways[from].end(), RrsetState(to)) != ways[from].end();
            EXPECT_EQ(RrsetQueue::may_follow(RrsetState(from), RrsetState(to)), expected)
                << from << " to " << to;
        }
    }
}

TEST(RrsetQueue, WhatIsServedIsVerifiedForTheFirstAloneByAQueryOrByTheSerial) {
    ZoneStamp zone;
    RrsetQueue queue;
    queue.push(waiting_record(1));
    queue.set_served({.rdata = {"abcd"}}, queue_time - 1ns, true, {&zone, 3});
    EXPECT_FALSE(queue.is_verified()) << "the query was sent before it came";
    queue.set_served({.rdata = {"abcd"}}, queue_time, true, {&zone, 3});
    EXPECT_EQ(queue.served_at(), queue_time);
    EXPECT_EQ(queue.mark(), (SerialMark{&zone, 3}));
    EXPECT_TRUE(queue.is_verified());
    queue.end_verified();
    EXPECT_FALSE(queue.is_verified());
    queue.confirm_served(queue_time - 1ns);
    EXPECT_FALSE(queue.is_verified());
    queue.confirm_served(queue_time);
    EXPECT_TRUE(queue.is_verified());
    queue.forget_served();
    EXPECT_FALSE(queue.is_verified());
    EXPECT_EQ(queue.mark(), SerialMark());
}

TEST(RrsetQueue, EachDesiredRecordAwaitsTheSerialOnce) {
    RrsetQueue queue;
    queue.push(waiting_record(1));
    queue.push(waiting_record(2));
    EXPECT_TRUE(queue.may_await_serial());
    queue.enter(RrsetState::confirming);
    EXPECT_TRUE(queue.awaits_serial_for(1));
    EXPECT_FALSE(queue.awaits_serial_for(2));
    queue.enter(RrsetState::idle);
    EXPECT_FALSE(queue.awaits_serial_for(1));
    EXPECT_FALSE(queue.may_await_serial());
    static_cast<void>(queue.pop());
    EXPECT_TRUE(queue.may_await_serial());
}

TEST(RrsetQueue, AnAnswerThatIsAwaitedIsInvalidatedOnce) {
    RrsetQueue queue;
    queue.invalidate();
    EXPECT_FALSE(queue.was_invalidated()) << "nothing is asked";
    queue.push(waiting_record(1));
    queue.enter(RrsetState::asking);
    queue.invalidate();
    EXPECT_TRUE(queue.was_invalidated());
    EXPECT_FALSE(queue.was_invalidated());
    queue.invalidate();
    queue.enter(RrsetState::idle);
    EXPECT_FALSE(queue.was_invalidated()) << "the answer has come";
}

TEST(RrsetQueue, ADecisionIsForOneDesiredRecordAndUndoneOnce) {
    RrsetQueue queue;
    queue.push(waiting_record(1));
    queue.push(waiting_record(2));
    queue.set_cost(true, false);
    queue.queue_change(dns::Name::parse("h.example.org").value());
    EXPECT_EQ(queue.state(), RrsetState::queued);
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
