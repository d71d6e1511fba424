// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings.hpp"

#include <gtest/gtest.h>

using namespace sftdyn::config;
using sftdyn::dns::Name;

TEST(Settings, TheLongestZoneServesAHost) {
    Settings settings;
    for (const char* zone : {"example.org", "dyn.example.org", "x.org"})
        settings.zones.push_back({*Name::parse(zone)});
    EXPECT_EQ(zone_for(settings, *Name::parse("a.dyn.example.org")).zone->text(),
              "dyn.example.org");
    EXPECT_EQ(zone_for(settings, *Name::parse("a.example.org")).zone->text(), "example.org");
    EXPECT_EQ(&zone_for(settings, *Name::parse("a.net")), &settings.dns);
}

TEST(Settings, WithoutServerAndKeyItIsNsupdateL) {
    const ZoneSettings zone;
    ASSERT_EQ(servers(zone).size(), 2U);
    EXPECT_EQ(text_of(servers(zone)[0]), "127.0.0.1:53");
    EXPECT_EQ(text_of(servers(zone)[1]), "[::1]:53");
    EXPECT_EQ(key_files(zone)[0], "/run/named/session.key");
}

TEST(Settings, ServerAddresses) {
    EXPECT_EQ(text_of(*parse_server("192.0.2.1")), "192.0.2.1:53");
    EXPECT_EQ(text_of(*parse_server("2001:db8::1")), "[2001:db8::1]:53");
    EXPECT_EQ(text_of(*parse_server("[2001:db8::1]:5353")), "[2001:db8::1]:5353");
    for (const char* text : {"", "ns.example.org", "192.0.2.1:", "53", "192.0.2.1:0", "[::1]"})
        EXPECT_TRUE(parse_server(text).has_error()) << text;
}
