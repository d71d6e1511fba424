// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/server_groups.hpp"

#include <gmock/gmock.h>

#include "names.hpp"
#include "update/fake_server.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;

namespace sftdyn::update {
namespace {

class ServerGroupsTest : public testing::Test {
protected:
    std::string server_of(const char* host) {
        const auto group = groups.of(name(host));
        return group ? group->members.at(0).server->name() : "none";
    }

    FakeServers servers;
    ServerGroups groups{servers.maker()};
    const base::TimePoint start{1h};
};

TEST_F(ServerGroupsTest, TheLongestZoneThatHoldsTheNameServesIt) {
    const ZoneServers outer = zone_servers("example.org", {"192.0.2.1"}),
                      inner = zone_servers("dyn.example.org", {"192.0.2.2"}),
                      rest = zone_servers(nullptr, {"192.0.2.3"});
    for (const auto& order : {std::vector{outer, inner, rest}, std::vector{rest, inner, outer}}) {
        groups.configure(order);
        EXPECT_EQ(server_of("a.dyn.example.org"), "192.0.2.2:53");
        EXPECT_EQ(server_of("dyn.example.org"), "192.0.2.2:53");
        EXPECT_EQ(server_of("a.example.org"), "192.0.2.1:53");
        EXPECT_EQ(server_of("a.example.net"), "192.0.2.3:53");
    }
    groups.configure({outer});
    EXPECT_EQ(server_of("a.example.net"), "none");
}

TEST_F(ServerGroupsTest, AddressesOfOneServerAreOneGroupWithOneKey) {
    ZoneServers config = zone_servers("dyn.example.org", {"192.0.2.1", "192.0.2.2"});
    config.options.tcp_only = true;
    groups.configure({config, zone_servers(nullptr, {"192.0.2.3"})});
    ASSERT_EQ(groups.all().size(), 2U);
    EXPECT_EQ(groups.all()[0]->members.size(), 2U);
    EXPECT_EQ(servers.at("192.0.2.1").keys, servers.at("192.0.2.2").keys);
    EXPECT_NE(servers.at("192.0.2.1").keys, servers.at("192.0.2.3").keys);
    EXPECT_TRUE(servers.at("192.0.2.1").options.tcp_only);
    EXPECT_TRUE(servers.at("192.0.2.2").options.tcp_only);
    EXPECT_FALSE(servers.at("192.0.2.3").options.tcp_only);
}

TEST_F(ServerGroupsTest, WhatDidNotChangeKeepsItsConnections) {
    const ZoneServers same = zone_servers("dyn.example.org", {"192.0.2.1"});
    groups.configure({same, zone_servers(nullptr, {"192.0.2.2"})});
    const auto before = groups.of(name("dyn.example.org"));
    groups.configure({zone_servers(nullptr, {"192.0.2.3"}), same});
    EXPECT_EQ(groups.of(name("dyn.example.org")), before);
    EXPECT_FALSE(servers.at("192.0.2.1").closed);
    EXPECT_TRUE(servers.at("192.0.2.2").closed) << "nobody holds it";
    ZoneServers other_key = same;
    other_key.key_files = {"/nonexistent/other"};
    groups.configure({other_key});
    EXPECT_NE(groups.of(name("dyn.example.org")), before);
}

TEST_F(ServerGroupsTest, AReplacedGroupIsClosedWithTheLastThatHoldsIt) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1"})});
    auto held = groups.of(name("a.example.org"));
    groups.configure({zone_servers(nullptr, {"192.0.2.2"})});
    EXPECT_FALSE(servers.at("192.0.2.1").closed);
    held.reset();
    EXPECT_TRUE(servers.at("192.0.2.1").closed);
    EXPECT_FALSE(servers.at("192.0.2.2").closed);
}

TEST_F(ServerGroupsTest, AllOfThemAreTakenAlsoThoseThatWereReplaced) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1"})});
    const auto held = groups.of(name("a.example.org"));
    groups.configure({zone_servers(nullptr, {"192.0.2.2"})});
    groups.configure({zone_servers(nullptr, {"192.0.2.3"})});
    const auto all = groups.take_all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]->members[0].server->name(), "192.0.2.3:53");
    EXPECT_EQ(all[1], held);
    EXPECT_TRUE(groups.all().empty());
    EXPECT_EQ(groups.of(name("a.example.org")), nullptr);
}

TEST_F(ServerGroupsTest, AnAddressThatWasDownIsTriedAfterTheOthersForAWhile) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2", "192.0.2.3"})});
    ServerGroup& group = *groups.all()[0];
    EXPECT_THAT(group.order(start), ElementsAre(0U, 1U, 2U));
    group.members[0].avoid(start);
    EXPECT_THAT(group.order(start), ElementsAre(1U, 2U, 0U));
    group.members[1].avoid(start + 1s);
    EXPECT_THAT(group.order(start + 15s - 1ns), ElementsAre(2U, 0U, 1U));
    EXPECT_THAT(group.order(start + 15s), ElementsAre(0U, 2U, 1U)) << "it is asked again";
    group.members[2].avoid(start + 15s);
    group.members[0].avoid(start + 15s);
    EXPECT_THAT(group.order(start + 15s), ElementsAre(0U, 1U, 2U)) << "all are down";
}

TEST(ServerShare, WhatIsLeftIsSharedEqually) {
    const base::TimePoint now{1h};
    EXPECT_EQ(share(now, now + 6s, 3), now + 2s);
    EXPECT_EQ(share(now, now + 6s, 1), now + 6s);
    EXPECT_EQ(share(now, now + 6s, 0), now + 6s);
}

TEST(ServerOutage, OnlyWhatAnotherAddressMayDoBetter) {
    for (int kind = 0; kind <= static_cast<int>(dns::ErrorKind::deadline_exceeded); ++kind) {
        const auto one = static_cast<dns::ErrorKind>(kind);
        EXPECT_EQ(is_outage(dns_failure(one)), one == dns::ErrorKind::unreachable ||
                                                   one == dns::ErrorKind::timeout ||
                                                   one == dns::ErrorKind::connection)
            << kind;
    }
}

TEST(NoServer, SaysForWhatAndTheRemedy) {
    const auto error = no_server(name("dyn.example.org"));
    EXPECT_EQ(error.kind, dns::ErrorKind::no_zone);
    EXPECT_EQ(error.detail, "no DNS server is configured for dyn.example.org");
    EXPECT_FALSE(error.cause.empty());
}

}  // namespace
}  // namespace sftdyn::update
