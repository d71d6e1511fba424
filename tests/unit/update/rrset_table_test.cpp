// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/rrset_table.hpp"

#include <gmock/gmock.h>

#include "names.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;

namespace sftdyn::update {
namespace {

class TargetTableTest : public testing::Test {
protected:
    void add(const RrsetKey& rrset, base::Duration until = 5s) {
        DesiredRecord desired;
        desired.rrset = rrset;
        table.add(
            std::move(desired), {now, now + until}, [](UpdateOutcome) {}, nullptr);
    }
    std::size_t unresolved() { return zones.waiting(unresolved_zone); }

    const base::TimePoint now{1h};
    ServedCache known;
    ZoneTable zones;
    RrsetTable table{known, zones};
    const RrsetKey one{1, dns::Type::a}, six{1, dns::Type::aaaa}, other{2, dns::Type::a};
};

TEST_F(TargetTableTest, WhatWaitsForAnRRsetIsOneQueueInItsOrder) {
    EXPECT_EQ(table.find(one), nullptr);
    add(one);
    add(other);
    add(one);
    EXPECT_EQ(table.size(), 2U);
    EXPECT_EQ(table.waiting(), 3U);
    RrsetQueue& queue = table.at(one);
    EXPECT_EQ(table.find(one), &queue);
    EXPECT_EQ(queue.size(), 2U);
    const auto first = table.pop(one, queue);
    EXPECT_LT(first.ticket, queue.front().ticket);
    EXPECT_EQ(table.waiting(), 2U);
}

TEST_F(TargetTableTest, WhatIsKnownComesOutOfTheCacheAndGoesBack) {
    known.set(one, "abcd", now, 30);
    known.set(other, "", now);
    add(one);
    EXPECT_FALSE(known.is_served(one, "abcd", now)) << "nobody is told of it meanwhile";
    RrsetQueue& queue = table.at(one);
    EXPECT_THAT(queue.served()->rdata, ElementsAre("abcd"));
    EXPECT_EQ(queue.served()->ttl, 30U);
    EXPECT_EQ(queue.served_at(), now);
    EXPECT_FALSE(queue.is_verified());
    add(other);
    EXPECT_TRUE(table.at(other).served()->rdata.empty()) << "that there is none is known, too";
    static_cast<void>(table.pop(one, queue));
    table.retire(one);
    EXPECT_EQ(table.find(one), nullptr);
    EXPECT_TRUE(known.is_served(one, "abcd", now, 30));
    EXPECT_FALSE(known.is_served(one, "abcd", now, 31));
    EXPECT_FALSE(known.is_served(one, "abcd", now + 1ns));
}

TEST_F(TargetTableTest, SeveralRecordsAreNotKeptAndNeitherIsWhatIsNotKnown) {
    for (const bool several : {true, false}) {
        known.set(one, "abcd", now);
        add(one);
        RrsetQueue& queue = table.at(one);
        if (several) {
            queue.set_served({.rdata = {"abcd", "efgh"}}, now, true);
        } else {
            queue.forget_served();
        }
        static_cast<void>(table.pop(one, queue));
        table.retire(one);
        EXPECT_FALSE(known.is_served(one, "abcd", base::TimePoint::min()));
    }
}

TEST_F(TargetTableTest, WhatIsTakenOutIsCountedOut) {
    add(one);
    add(one);
    RrsetQueue& queue = table.at(one);
    const std::uint64_t ticket = queue.front().ticket;
    EXPECT_TRUE(table.take(one, queue, ticket).has_value());
    EXPECT_FALSE(table.take(one, queue, ticket).has_value());
    EXPECT_EQ(table.waiting(), 1U);
    EXPECT_EQ(unresolved(), 1U);
    add(one);
    EXPECT_EQ(table.take_all(one).size(), 2U);
    EXPECT_EQ(table.find(one), nullptr);
    EXPECT_EQ(table.waiting(), 0U);
    EXPECT_EQ(unresolved(), 0U);
    EXPECT_TRUE(table.take_all(one).empty());
}

TEST_F(TargetTableTest, AllOfAHostsRRsetsMoveToItsZoneTogether) {
    const ZoneIndex zone = zones.open(name("example.org")).zone;
    add(one);
    add(one);
    add(six);
    add({1, dns::Type::ptr});
    add(other);
    EXPECT_EQ(unresolved(), 5U);
    table.set_zone(1, zone);
    EXPECT_EQ(zones.of(1), zone);
    EXPECT_EQ(zones.waiting(zone), 4U);
    EXPECT_EQ(unresolved(), 1U);
    table.set_zone(1, zone);
    EXPECT_EQ(zones.waiting(zone), 4U);
    add(one);
    EXPECT_EQ(zones.waiting(zone), 5U);
    table.set_zone(1, unresolved_zone);
    EXPECT_EQ(unresolved(), 6U);
    EXPECT_EQ(zones.waiting(zone), 0U);
}

TEST_F(TargetTableTest, DeadlinesPassInTheirOrder) {
    add(one, 5s);
    add(other, 2s);
    add(six, 5s);
    EXPECT_EQ(table.deadlines(), 3U);
    EXPECT_FALSE(table.next_due(now + 2s - 1ns).has_value());
    const auto first = table.next_due(now + 5s);
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(first->rrset, other);
    EXPECT_EQ(first->ticket, table.at(other).front().ticket);
    EXPECT_EQ(table.next_due(now + 5s)->rrset, one) << "the one that came first";
    EXPECT_EQ(table.next_due(now + 5s)->rrset, six);
    EXPECT_FALSE(table.next_due(now + 5s).has_value());
    add(one, 1s);
    table.forget_deadlines();
    EXPECT_EQ(table.deadlines(), 0U);
}

TEST_F(TargetTableTest, TheDeadlineOfAScriptsPlaceIsNotWatchedHere) {
    const auto places = std::make_shared<AtomicGroup>([](const auto&) {});
    table.add_place(one, {now, now + 5s}, places);
    EXPECT_EQ(table.deadlines(), 0U);
    EXPECT_EQ(table.waiting(), 1U);
    ASSERT_EQ(places->members().size(), 1U);
    EXPECT_EQ(places->members()[0].rrset, one);
    EXPECT_EQ(places->members()[0].ticket, table.at(one).front().ticket);
    EXPECT_EQ(table.at(one).front().group, places);
}

}  // namespace
}  // namespace sftdyn::update
