// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/query_sender.hpp"

#include <deque>

#include <gmock/gmock.h>

#include "dns/knot.hpp"
#include "manual_time.hpp"
#include "names.hpp"
#include "update/fake_server.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

using dns::Record;
using dns::Type;

Record soa_of(const char* zone) { return {name(zone), Type::soa, 30, {}}; }

class QuerySenderTest : public testing::Test {
protected:
    using Found = Told<dns::DnsResult<dns::Name>>;
    using Served = Told<dns::DnsResult<std::vector<std::string>>>;

    Found& find(const char* host) {
        Found& place = found.emplace_back();
        queries.find_zone(name(host), time->now() + 5s, [&place](dns::DnsResult<dns::Name> zone) {
            place.tell(std::move(zone));
        });
        EXPECT_FALSE(place.has_value()) << "from within the call";
        return place;
    }
    Served& look_up(const char* host, Type type = Type::a) {
        Served& place = served.emplace_back();
        queries.look_up(name("dyn.example.org"), name(host), type, time->now() + 5s,
                        [&place](dns::DnsResult<std::vector<std::string>> records) {
                            place.tell(std::move(records));
                        });
        EXPECT_FALSE(place.has_value()) << "from within the call";
        return place;
    }
    /// Answers the query that is under way, which is for that name's SOA.
    void answer(const char* asked, const dns::Reply& reply, const char* at = "192.0.2.1") {
        const auto query = servers.at(at).take_query();
        EXPECT_EQ(query.name, name(asked));
        if (query.handler) query.handler(reply);
    }
    void poll() {
        io.restart();
        io.poll();
    }
    const FakeServer::Query& next(const char* at) { return servers.at(at).queries.at(0); }
    std::size_t under_way(const char* at = "192.0.2.1") { return servers.at(at).queries.size(); }

    boost::asio::io_context io;
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    FakeServers servers;
    ServerGroups groups{servers.maker()};
    QuerySender queries{io, time, groups};
    std::deque<Found> found;
    std::deque<Served> served;

    void TearDown() override { servers.drop(); }
    void SetUp() override { groups.configure({zone_servers(nullptr, {"192.0.2.1"})}); }
};

// --- the zone of a name

TEST_F(QuerySenderTest, AConfiguredZoneIsToldWithoutAQuestion) {
    groups.configure({zone_servers("dyn.example.org", {"192.0.2.1"})});
    const Found& zone = find("h.dyn.example.org");
    poll();
    EXPECT_EQ(zone->value(), name("dyn.example.org"));
    EXPECT_EQ(under_way(), 0U);
}

TEST_F(QuerySenderTest, WithoutAServerThereIsNoZone) {
    groups.configure({});
    const Found& zone = find("h.dyn.example.org");
    const Served& records = look_up("h.dyn.example.org");
    poll();
    EXPECT_EQ(zone->error().kind, dns::ErrorKind::no_zone);
    EXPECT_THAT(zone->error().detail, HasSubstr("no DNS server is configured"));
    EXPECT_EQ(records->error().kind, dns::ErrorKind::no_zone);
}

TEST_F(QuerySenderTest, TheNamesOwnSoaIsItsZone) {
    const Found& zone = find("dyn.example.org");
    EXPECT_EQ(next("192.0.2.1").type, Type::soa);
    answer("dyn.example.org", authoritative(KNOT_RCODE_NOERROR, {soa_of("dyn.example.org")}));
    EXPECT_EQ(zone->value(), name("dyn.example.org"));
}

TEST_F(QuerySenderTest, TheSoaBesideANegativeAnswerIsTheZone) {
    for (const std::uint16_t rcode : {KNOT_RCODE_NXDOMAIN, KNOT_RCODE_NOERROR}) {
        const Found& zone = find("h.dyn.example.org");
        answer("h.dyn.example.org", authoritative(rcode, {}, {soa_of("dyn.example.org")}));
        EXPECT_EQ(zone->value(), name("dyn.example.org"));
    }
}

TEST_F(QuerySenderTest, OfNestedZonesItIsTheInnermostThatTheServerTells) {
    const Found& inner = find("h.dyn.example.org");
    answer("h.dyn.example.org",
           authoritative(KNOT_RCODE_NXDOMAIN, {}, {soa_of("dyn.example.org")}));
    const Found& outer = find("h.example.org");
    answer("h.example.org", authoritative(KNOT_RCODE_NXDOMAIN, {}, {soa_of("example.org")}));
    EXPECT_EQ(inner->value(), name("dyn.example.org"));
    EXPECT_EQ(outer->value(), name("example.org"));
}

struct NoZoneHere {
    const char* name;
    dns::Answer answer;
};

class NoZoneInAnswer : public QuerySenderTest, public testing::WithParamInterface<NoZoneHere> {};

TEST_P(NoZoneInAnswer, TheParentIsAskedThen) {
    const Found& zone = find("h.dyn.example.org");
    answer("h.dyn.example.org", GetParam().answer);
    EXPECT_FALSE(zone.has_value());
    answer("dyn.example.org", authoritative(KNOT_RCODE_NOERROR, {soa_of("dyn.example.org")}));
    EXPECT_EQ(zone->value(), name("dyn.example.org"));
}

dns::Answer not_authoritative(dns::Answer answer) {
    answer.authoritative = false;
    return answer;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, NoZoneInAnswer,
    testing::Values(
        NoZoneHere{"Refused", authoritative(KNOT_RCODE_REFUSED)},
        NoZoneHere{"RefusedWithASoa", authoritative(KNOT_RCODE_REFUSED, {soa_of("example.org")})},
        NoZoneHere{"Nothing", authoritative(KNOT_RCODE_NOERROR)},
        NoZoneHere{"OfAResolver", not_authoritative(authoritative(KNOT_RCODE_NXDOMAIN, {},
                                                                  {soa_of("example.org")}))},
        NoZoneHere{"ACname", authoritative(KNOT_RCODE_NOERROR,
                                           {{name("h.dyn.example.org"), Type::cname, 30, {}},
                                            soa_of("example.org")})},
        NoZoneHere{"AZoneThatDoesNotHoldIt",
                   authoritative(KNOT_RCODE_NOERROR, {soa_of("example.net")})}),
    [](const auto& row) { return row.param.name; });

TEST_F(QuerySenderTest, TheRootIsNotAskedAndTheFirstAnswerIsNamed) {
    const Found& zone = find("h.example.org");
    answer("h.example.org", authoritative(KNOT_RCODE_NXDOMAIN));
    answer("example.org", authoritative(KNOT_RCODE_REFUSED));
    EXPECT_FALSE(zone.has_value());
    answer("org", authoritative(KNOT_RCODE_REFUSED));
    ASSERT_TRUE(zone.has_value());
    EXPECT_EQ(zone->error().kind, dns::ErrorKind::no_zone);
    EXPECT_EQ(zone->error().server, "192.0.2.1:53");
    EXPECT_THAT(zone->error().detail, HasSubstr("h.example.org (it answered NXDOMAIN)"));
    EXPECT_EQ(under_way(), 0U);
}

class BrokenServer : public QuerySenderTest, public testing::WithParamInterface<std::uint16_t> {};

TEST_P(BrokenServer, EndsTheSearch) {
    const Found& zone = find("h.example.org");
    answer("h.example.org", authoritative(GetParam()));
    ASSERT_TRUE(zone.has_value());
    EXPECT_EQ(zone->error().kind, dns::ErrorKind::rcode);
    EXPECT_EQ(zone->error().rcode, GetParam());
    EXPECT_THAT(zone->error().detail, HasSubstr("the SOA query for h.example.org"));
}

INSTANTIATE_TEST_SUITE_P(Rcodes, BrokenServer,
                         testing::Values(KNOT_RCODE_SERVFAIL, KNOT_RCODE_FORMERR,
                                         KNOT_RCODE_NOTIMPL));

TEST_F(QuerySenderTest, AReverseNameThatIsRefusedIsNotAskedAgainForAWhile) {
    const Found& first = find("1.2.0.192.in-addr.arpa");
    answer("1.2.0.192.in-addr.arpa", authoritative(KNOT_RCODE_REFUSED));
    ASSERT_TRUE(first.has_value()) << "none of its parents is asked";
    EXPECT_EQ(first->error().kind, dns::ErrorKind::no_zone);
    const Found& other = find("2.2.0.192.in-addr.arpa");
    answer("2.2.0.192.in-addr.arpa", authoritative(KNOT_RCODE_REFUSED));
    EXPECT_TRUE(other.has_value()) << "it is another name";
    time->pass(5min - 1ns);
    const Found& second = find("1.2.0.192.in-addr.arpa");
    poll();
    EXPECT_EQ(second->error().kind, dns::ErrorKind::no_zone);
    EXPECT_EQ(under_way(), 0U);
    time->pass(1ns);
    find("1.2.0.192.in-addr.arpa");
    EXPECT_EQ(under_way(), 1U);
    answer("1.2.0.192.in-addr.arpa", authoritative(KNOT_RCODE_REFUSED));
    queries.forget_refusals();
    find("1.2.0.192.in-addr.arpa");
    EXPECT_EQ(under_way(), 1U) << "another configuration may know it";
}

TEST_F(QuerySenderTest, OfReverseNamesSoManyAreRemembered) {
    for (int i = 0; i < 1000; ++i) {
        const std::string host = std::to_string(i) + ".in-addr.arpa";
        find(host.c_str());
        answer(host.c_str(), authoritative(KNOT_RCODE_REFUSED));
    }
    find("0.in-addr.arpa");
    EXPECT_EQ(under_way(), 0U);
    find("1000.in-addr.arpa");
    answer("1000.in-addr.arpa", authoritative(KNOT_RCODE_REFUSED));
    find("0.in-addr.arpa");
    EXPECT_EQ(under_way(), 1U);
}

TEST_F(QuerySenderTest, AReverseNameThatIsNotRefusedIsSearchedLikeAnyOther) {
    const Found& zone = find("1.2.0.192.in-addr.arpa");
    answer("1.2.0.192.in-addr.arpa", authoritative(KNOT_RCODE_NXDOMAIN));
    answer("2.0.192.in-addr.arpa",
           authoritative(KNOT_RCODE_NOERROR, {soa_of("2.0.192.in-addr.arpa")}));
    EXPECT_EQ(zone->value(), name("2.0.192.in-addr.arpa"));
}

TEST_F(QuerySenderTest, AnotherNameThatIsRefusedIsAskedAgain) {
    find("h.org");
    answer("h.org", authoritative(KNOT_RCODE_REFUSED));
    answer("org", authoritative(KNOT_RCODE_REFUSED));
    find("h.org");
    EXPECT_EQ(under_way(), 1U);
}

// --- one server after the other

TEST_F(QuerySenderTest, ServersAreTriedInOrderEachInItsShareOfTheTime) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2", "192.0.2.3"})});
    const auto began = time->now();
    const Served& records = look_up("h.dyn.example.org");
    EXPECT_EQ(next("192.0.2.1").deadline, began + base::Duration(5s) / 3);
    EXPECT_EQ(under_way("192.0.2.2"), 0U);
    time->pass(1s);
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::timeout));
    EXPECT_EQ(next("192.0.2.2").deadline, began + 3s);
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::unreachable), "192.0.2.2");
    EXPECT_EQ(next("192.0.2.3").deadline, began + 5s);
    EXPECT_FALSE(records.has_value());
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::connection, "the last"), "192.0.2.3");
    EXPECT_EQ(records->error().detail, "the last");
}

TEST_F(QuerySenderTest, AServerThatIsDownIsAvoidedAndAskedAgain) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2"})});
    look_up("h.dyn.example.org");
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::timeout));
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_NOERROR), "192.0.2.2");
    look_up("h.dyn.example.org");
    EXPECT_EQ(under_way("192.0.2.1"), 0U);
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_NOERROR), "192.0.2.2");
    time->pass(15s);
    look_up("h.dyn.example.org");
    EXPECT_EQ(under_way("192.0.2.1"), 1U);
}

TEST_F(QuerySenderTest, WhatIsNoOutageIsNotAskedElsewhere) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2"})});
    const Served& forged = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::forged_answer));
    EXPECT_EQ(forged->error().kind, dns::ErrorKind::forged_answer);
    const Served& refused = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_REFUSED));
    EXPECT_EQ(refused->error().kind, dns::ErrorKind::rcode);
    EXPECT_EQ(under_way("192.0.2.2"), 0U);
}

TEST_F(QuerySenderTest, ASearchEndsWithAServersFailure) {
    const Found& zone = find("h.dyn.example.org");
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::timeout, "no answer"));
    EXPECT_EQ(zone->error().detail, "no answer");
}

// --- what is served

TEST_F(QuerySenderTest, ItIsTheDataOfThatNameAndType) {
    const Served& records = look_up("h.dyn.example.org");
    EXPECT_EQ(next("192.0.2.1").type, Type::a);
    answer("h.dyn.example.org",
           authoritative(KNOT_RCODE_NOERROR, {{name("h.dyn.example.org"), Type::a, 30, "one "},
                                              {name("o.dyn.example.org"), Type::a, 30, "othr"},
                                              {name("h.dyn.example.org"), Type::aaaa, 30, "six"},
                                              {name("h.dyn.example.org"), Type::a, 30, "two "}}));
    EXPECT_THAT(records->value(), ElementsAre("one ", "two "));
}

TEST_F(QuerySenderTest, ANameThatDoesNotExistHasNothing) {
    for (const std::uint16_t rcode : {KNOT_RCODE_NXDOMAIN, KNOT_RCODE_NOERROR}) {
        const Served& records = look_up("h.dyn.example.org", Type::aaaa);
        EXPECT_EQ(next("192.0.2.1").type, Type::aaaa);
        answer("h.dyn.example.org", authoritative(rcode));
        ASSERT_TRUE(records->has_value());
        EXPECT_TRUE(records->value().empty());
    }
}

TEST_F(QuerySenderTest, AResolverIsNotBelieved) {
    const Served& records = look_up("h.dyn.example.org");
    answer("h.dyn.example.org",
           not_authoritative(authoritative(KNOT_RCODE_NOERROR,
                                           {{name("h.dyn.example.org"), Type::a, 30, "one "}})));
    ASSERT_TRUE(records->has_error());
    EXPECT_EQ(records->error().kind, dns::ErrorKind::no_zone);
    EXPECT_THAT(records->error().detail, HasSubstr("is not authoritative"));
}

TEST_F(QuerySenderTest, AnErrorCodeNamesTheQuestion) {
    const Served& records = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", not_authoritative(authoritative(KNOT_RCODE_REFUSED)));
    EXPECT_EQ(records->error().rcode, KNOT_RCODE_REFUSED);
    EXPECT_EQ(records->error().server, "192.0.2.1:53");
    EXPECT_THAT(records->error().detail, HasSubstr("the A query for h.dyn.example.org"));
}

TEST_F(QuerySenderTest, ACnameAtTheNameIsAConflictOneElsewhereIsNot) {
    const Served& conflict = look_up("h.dyn.example.org");
    answer("h.dyn.example.org",
           authoritative(KNOT_RCODE_NOERROR, {{name("h.dyn.example.org"), Type::cname, 30, "x"},
                                              {name("o.dyn.example.org"), Type::a, 30, "one "}}));
    EXPECT_EQ(conflict->error().kind, dns::ErrorKind::cname_conflict);
    const Served& fine = look_up("h.dyn.example.org");
    answer("h.dyn.example.org",
           authoritative(KNOT_RCODE_NOERROR, {{name("o.dyn.example.org"), Type::cname, 30, "x"},
                                              {name("h.dyn.example.org"), Type::a, 30, "one "}}));
    EXPECT_THAT(fine->value(), ElementsAre("one "));
}

}  // namespace
}  // namespace sftdyn::update
