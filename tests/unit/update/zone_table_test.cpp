// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_table.hpp"

#include <gtest/gtest.h>

#include "names.hpp"

namespace sftdyn::update {
namespace {

TEST(ZoneTable, AHostHasNoZoneUntilItIsSaid) {
    ZoneTable zones;
    EXPECT_EQ(zones.of(0), unresolved_zone);
    EXPECT_EQ(zones.host_end(), 0U);
    zones.set(5, 2);
    EXPECT_EQ(zones.of(5), 2U);
    for (const HostId host : {0U, 4U, 6U, 1000U})
        EXPECT_EQ(zones.of(host), unresolved_zone) << host;
    EXPECT_GT(zones.host_end(), 5U);
    zones.set(5, unresolved_zone);
    EXPECT_EQ(zones.of(5), unresolved_zone);
}

TEST(ZoneTable, AZoneHasOneIndexForGood) {
    ZoneTable zones;
    EXPECT_FALSE(zones.find(name("example.org")).has_value());
    const auto first = zones.open(name("example.org"));
    const auto second = zones.open(name("example.net"));
    EXPECT_TRUE(first.is_new && second.is_new);
    EXPECT_NE(first.zone, second.zone);
    const auto again = zones.open(name("example.org"));
    EXPECT_EQ(again.zone, first.zone);
    EXPECT_FALSE(again.is_new);
    EXPECT_EQ(zones.find(name("example.org")), first.zone);
    EXPECT_EQ(zones.size(), 2U);
    EXPECT_EQ(zones[second.zone].name(), name("example.net"));
}

TEST(ZoneTable, AQueueStaysWhereItIsWhenZonesAreAdded) {
    ZoneTable zones;
    const ZoneQueue* first = &zones[zones.open(name("example.org")).zone];
    for (int i = 0; i < 1000; ++i)
        static_cast<void>(zones.open(name(("z" + std::to_string(i) + ".org").c_str())));
    EXPECT_EQ(&zones[0], first);
}

TEST(ZoneTable, WhatWaitsIsCountedForEachZoneAndForNone) {
    ZoneTable zones;
    const ZoneIndex zone = zones.open(name("example.org")).zone;
    zones.waiting(zone) = 3;
    zones.waiting(unresolved_zone) = 2;
    EXPECT_EQ(zones[zone].waiting, 3U);
    EXPECT_EQ(zones.waiting(zone), 3U);
    EXPECT_EQ(zones.waiting(unresolved_zone), 2U);
}

}  // namespace
}  // namespace sftdyn::update
