// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using namespace sftdyn::config;

namespace {

Diagnostics read(std::string_view text, Settings& settings) {
    return read_toml(text, "/etc/sftdyn/c.toml", settings);
}

TEST(TomlFile, ASettingUnderItsFormerNameIsTakenWithAWarning) {
    Settings settings;
    EXPECT_TRUE(read("[admin]\nhook_time = 7\nhooks_at_once = 2\n", settings).empty());
    EXPECT_EQ(settings.admin.event_command_time, 7s);
    EXPECT_EQ(settings.admin.event_commands_at_once, 2U);
    ASSERT_EQ(settings.warnings.size(), 2U);
    EXPECT_EQ(settings.warnings[0].where, "/etc/sftdyn/c.toml:2:1");
    EXPECT_EQ(settings.warnings[1].what, "hooks_at_once is the former name of a setting");
}

TEST(TomlFile, ASettingUnderBothNamesIsAnError) {
    Settings settings;
    const auto diagnostics = read("[admin]\nevent_command_time = 7\nhook_time = 7\n", settings);
    ASSERT_EQ(diagnostics.size(), 1U);
    EXPECT_EQ(diagnostics[0].where, "/etc/sftdyn/c.toml:3:1");
    EXPECT_TRUE(settings.warnings.empty());
}

TEST(TomlFile, AllSettings) {
    Settings settings;
    const auto diagnostics = read(R"(
http = ["8080", "127.0.0.1:81", 82]
nskeyfile = "keys/sftdyn.key"
[dns]
servers = ["192.0.2.1", "[2001:db8::1]:5353"]
zone = "dyn.example.org"
ttl = 60
timeout = 2.5
freshness = 60
follow_serial = false
tcp = true
batch = 100
queue = 50
updates_in_flight = 2
queries_in_flight = 9
[limits]
changes = 0
changes_refill = 1
threads = 3
[clients]
"example" = "host.dyn.example.org"
"host=gnampf,key=4bea" = { host = "gnampf.dyn.example.org", ttl = 60, ptr = true }
)",
                                  settings);
    for (const auto& diagnostic : diagnostics) ADD_FAILURE() << diagnostic.text();
    ASSERT_EQ(settings.http.size(), 3U);
    EXPECT_EQ(settings.http[2].port, 82);
    EXPECT_EQ(settings.dns.key_file, "/etc/sftdyn/keys/sftdyn.key");
    EXPECT_EQ(settings.dns.servers.size(), 2U);
    EXPECT_EQ(settings.dns.zone->text(), "dyn.example.org");
    EXPECT_EQ(settings.dns.ttl, 60U);
    EXPECT_TRUE(settings.dns.tcp);
    EXPECT_EQ(settings.timeout, 2500ms);
    EXPECT_EQ(settings.freshness, 60s);
    EXPECT_FALSE(settings.follow_serial);
    EXPECT_EQ(settings.batch, 100U);
    EXPECT_EQ(settings.queue, 50U);
    EXPECT_EQ(settings.updates_in_flight, 2U);
    EXPECT_EQ(settings.queries_in_flight, 9U);
    EXPECT_EQ(settings.changes, 0U);
    EXPECT_EQ(settings.changes_refill, 1s);
    EXPECT_EQ(settings.threads, 3U);
    ASSERT_EQ(settings.clients.size(), 2U);
    const auto long_form = settings.clients[1];
    EXPECT_EQ(long_form.key, "host=gnampf,key=4bea");
    EXPECT_EQ(long_form.host, dns::Name::parse("gnampf.dyn.example.org")->bytes());
    EXPECT_EQ(long_form.ttl, 60U);
    EXPECT_TRUE(long_form.reverse);
    EXPECT_FALSE(settings.clients[0].ttl);
}

TEST(TomlFile, AbsolutePathsStay) {
    Settings settings;
    EXPECT_TRUE(read("nskeyfile = \"/run/key\"", settings).empty());
    EXPECT_EQ(settings.dns.key_file, "/run/key");
}

TEST(TomlFile, ComplaintsHavePlaceAndMend) {
    Settings settings;
    const auto diagnostics = read("[limits]\nchanges = -1\n", settings);
    ASSERT_EQ(diagnostics.size(), 1U);
    EXPECT_EQ(diagnostics[0].text(),
              "/etc/sftdyn/c.toml:2:11: changes is out of range; expected a whole number from 0 to "
              "1000000");
}

TEST(TomlFile, AllComplaintsAreTold) {
    Settings settings;
    EXPECT_EQ(
        read("a = 1\nb = 2\nhttp = []\ndns = 3\nclients = 4\nzone = 5\n[limits]\nx = 1\n", settings)
            .size(),
        7U);
}

TEST(TomlFile, AHostOutsideOfItsZoneIsAComplaint) {
    Settings settings;
    const auto diagnostics = read(
        "[dns]\nzone = \"a.org\"\n[[zone]]\nname = \"b.org\"\n[clients]\nx = \"h.a.org\"\ny = "
        "\"h.b.org\"\nz = \"h.c.org\"\n",
        settings);
    ASSERT_EQ(diagnostics.size(), 1U);
    EXPECT_NE(
        diagnostics[0].text().find("/etc/sftdyn/c.toml:8:5: this host is not in the zone that "
                                   "[dns] names, nor in a [[zone]]"),
        std::string::npos);
}

}  // namespace
