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
    using Served = Told<dns::DnsResult<ServedRecords>>;

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
        queries.look_up(
            name("dyn.example.org"), name(host), type, time->now() + 5s,
            [&place](dns::DnsResult<ServedRecords> records) { place.tell(std::move(records)); });
        EXPECT_FALSE(place.has_value()) << "from within the call";
        return place;
    }
    /// Answers the query that is under way, which is for that name's SOA.
    void answer(const char* asked, const dns::Reply& reply, const char* at = "192.0.2.1") {
        const auto query = servers.at(at).take_query();
        EXPECT_EQ(query.name, name(asked));
        if (query.handler) query.handler(reply);
    }
    /// The next answer is to an UPDATE that is one prerequisite, of that type and class.
    void answer_prerequisite(Type type, dns::UpdateRecord::Class rclass, std::uint16_t rcode) {
        const auto update = servers.at("192.0.2.1").take_update();
        const auto& message = std::get<dns::UpdateMessage>(update.content);
        EXPECT_TRUE(message.updates.empty());
        ASSERT_EQ(message.prerequisites.size(), 1U);
        EXPECT_EQ(message.prerequisites[0].owner, name("h.dyn.example.org"));
        EXPECT_EQ(message.prerequisites[0].type, type);
        EXPECT_EQ(message.prerequisites[0].rclass, rclass);
        if (rcode == KNOT_RCODE_NOERROR)
            return update.handler(dns::Answer(), {dns::DeliveryState::answered, 1});
        update.handler(dns::rcode_failure(rcode, "fake", "it"), {dns::DeliveryState::answered, 1});
    }
    /// No wildcard is beside the name.
    void answer_no_wildcard(const char* sibling = "*.dyn.example.org") {
        answer(sibling, authoritative(KNOT_RCODE_NXDOMAIN));
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

// --- the serial of a zone

/// A SOA whose names are the root.
Record soa_with_serial(const char* zone, std::uint32_t serial) {
    std::string rdata(2, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) rdata += static_cast<char>(serial >> shift & 255U);
    return {name(zone), Type::soa, 30, rdata + std::string(16, '\1')};
}

TEST_F(QuerySenderTest, TheSerialIsThatOfTheZonesOwnSoa) {
    constexpr const char* zone = "dyn.example.org";
    const Record soa = soa_with_serial(zone, 0x81020304U);
    Record cut = soa;
    cut.rdata.resize(21);
    dns::Answer not_authoritative = authoritative(KNOT_RCODE_NOERROR, {soa});
    not_authoritative.authoritative = false;
    struct SerialCase {
        const char* name;
        dns::Reply reply;
        std::optional<std::uint32_t> serial;
    };
    const std::vector<SerialCase> cases{
        {"its SOA", authoritative(KNOT_RCODE_NOERROR, {soa}), 0x81020304U},
        {"beside its NS",
         authoritative(KNOT_RCODE_NOERROR, {soa}, {{name(zone), Type::ns, 30, {}}}), 0x81020304U},
        {"another zone's", authoritative(KNOT_RCODE_NOERROR, {soa_with_serial("org", 1)}), {}},
        {"the parent's, which has no such zone", authoritative(KNOT_RCODE_NOERROR, {}, {soa}), {}},
        {"cut off", authoritative(KNOT_RCODE_NOERROR, {cut}), {}},
        {"not authoritative", not_authoritative, {}},
        {"refused", authoritative(KNOT_RCODE_REFUSED), {}},
        {"unanswered", dns_failure(dns::ErrorKind::timeout), {}}};
    for (const SerialCase& one : cases) {
        Told<dns::DnsResult<SerialReading>> reading;
        queries.read_serial(
            name(zone), time->now() + 5s,
            [&](const dns::DnsResult<SerialReading>& result) { reading.tell(result); });
        EXPECT_EQ(next("192.0.2.1").type, Type::soa);
        answer(zone, one.reply);
        ASSERT_TRUE(reading.has_value()) << one.name;
        ASSERT_EQ(reading->has_value(), one.serial.has_value()) << one.name;
        if (one.serial) {
            EXPECT_EQ(reading->value(), (SerialReading{*one.serial, 1})) << one.name;
        }
    }
}

TEST_F(QuerySenderTest, WhoHasAnsweredIsToldWithTheSerialAndTheRecords) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2"})});
    Told<dns::DnsResult<SerialReading>> reading;
    queries.read_serial(name("dyn.example.org"), time->now() + 5s,
                        [&](const dns::DnsResult<SerialReading>& result) { reading.tell(result); });
    answer("dyn.example.org", dns_failure(dns::ErrorKind::timeout));
    const Record soa = soa_with_serial("dyn.example.org", 7);
    answer("dyn.example.org", authoritative(KNOT_RCODE_NOERROR, {soa}), "192.0.2.2");
    EXPECT_EQ(reading->value(), (SerialReading{7, 2}));
    const Served& records = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_NXDOMAIN), "192.0.2.2");
    EXPECT_EQ(records->value().source, 2U);
}

TEST_F(QuerySenderTest, AServerThatAnswersNoQueriesTellsNoSerial) {
    ZoneServers config = zone_servers("dyn.example.org", {"192.0.2.1"});
    config.queries = false;
    groups.configure({config});
    Told<dns::DnsResult<SerialReading>> reading;
    queries.read_serial(name("dyn.example.org"), time->now() + 5s,
                        [&](const dns::DnsResult<SerialReading>& result) { reading.tell(result); });
    EXPECT_FALSE(reading.has_value()) << "from within the call";
    poll();
    EXPECT_TRUE(reading->has_error());
    EXPECT_EQ(under_way(), 0U);
}

// --- the zone of a name

TEST_F(QuerySenderTest, TheZoneOfAServerThatAnswersNoQueriesIsTheConfiguredOne) {
    ZoneServers config = zone_servers("dyn.example.org", {"192.0.2.1"});
    config.queries = false;
    config.holds_reverse = true;
    groups.configure({config});
    const Found& zone = find("h.dyn.example.org");
    const Found& reverse = find("1.2.0.192.in-addr.arpa");
    const Served& records = look_up("h.dyn.example.org");
    poll();
    EXPECT_EQ(zone->value(), name("dyn.example.org"));
    EXPECT_EQ(reverse->error().kind, dns::ErrorKind::no_zone);
    EXPECT_FALSE(records->value().is_known);
    EXPECT_EQ(under_way(), 0U);
}

struct ConfiguredZone {
    const char* name;
    const char* served;   ///< by the server, at h.dyn.example.org
    const char* outcome;  ///< the zone, or words of the error
};

class ConfiguredZoneTest : public QuerySenderTest,
                           public testing::WithParamInterface<ConfiguredZone> {};

TEST_P(ConfiguredZoneTest, IsComparedWithWhatTheServerHas) {
    groups.configure({zone_servers("dyn.example.org", {"192.0.2.1"})});
    const Found& zone = find("h.dyn.example.org");
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_NOERROR, {}, {soa_of(GetParam().served)}));
    const std::string told = zone->has_value() ? zone->value().text() : zone->error().detail;
    EXPECT_THAT(told, HasSubstr(GetParam().outcome));
}

INSTANTIATE_TEST_SUITE_P(
    Zones, ConfiguredZoneTest,
    testing::Values(ConfiguredZone{"ItHasIt", "dyn.example.org", "dyn.example.org"},
                    ConfiguredZone{"ItHasAChild", "h.dyn.example.org", "h.dyn.example.org"},
                    ConfiguredZone{"ItHasAParentOnly", "example.org",
                                   "has no zone dyn.example.org: it answers from example.org"}),
    [](const auto& row) { return row.param.name; });

TEST_F(QuerySenderTest, AReverseNameIsLookedForThoughTheHostsZoneIsNamed) {
    ZoneServers config = zone_servers("dyn.example.org", {"192.0.2.1"});
    config.holds_reverse = true;
    groups.configure({config});
    const Found& zone = find("1.2.0.192.in-addr.arpa");
    answer("1.2.0.192.in-addr.arpa",
           authoritative(KNOT_RCODE_NXDOMAIN, {}, {soa_of("2.0.192.in-addr.arpa")}));
    EXPECT_EQ(zone->value(), name("2.0.192.in-addr.arpa"));
    const Found& other = find("h.example.net");
    poll();
    EXPECT_EQ(other->error().kind, dns::ErrorKind::no_zone);
}

dns::Answer referral_of(const char* cut) {
    dns::Answer answer = authoritative(KNOT_RCODE_NOERROR, {}, {{name(cut), Type::ns, 30, {}}});
    answer.authoritative = false;
    return answer;
}

TEST_F(QuerySenderTest, ANameThatIsDelegatedIsNobodysHere) {
    const Found& zone = find("h.sub.dyn.example.org");
    answer("h.sub.dyn.example.org", referral_of("sub.dyn.example.org"));
    answer("sub.dyn.example.org", referral_of("sub.dyn.example.org"));
    answer("dyn.example.org", authoritative(KNOT_RCODE_NOERROR, {soa_of("dyn.example.org")}));
    EXPECT_THAT(zone->error().detail, HasSubstr("delegates sub.dyn.example.org to another"));
    const Served& records = look_up("h.sub.dyn.example.org");
    answer("h.sub.dyn.example.org", referral_of("sub.dyn.example.org"));
    EXPECT_EQ(records->error().kind, dns::ErrorKind::no_zone);
    EXPECT_THAT(records->error().detail, HasSubstr("delegates sub.dyn.example.org to another"));
}

TEST_F(QuerySenderTest, AReferralOfAServerWithoutTheZoneIsNoDelegation) {
    const Found& zone = find("h.example.org");
    for (const char* asked : {"h.example.org", "example.org", "org"})
        answer(asked, referral_of("org"));
    EXPECT_THAT(zone->error().detail, HasSubstr("serves no zone that holds h.example.org"));
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

class Unknowing : public QuerySenderTest, public testing::WithParamInterface<dns::Answer> {};

TEST_P(Unknowing, AServerThatDoesNotKnowIsPassedOver) {
    groups.configure({zone_servers(nullptr, {"192.0.2.1", "192.0.2.2"})});
    const Served& good = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", GetParam());
    EXPECT_FALSE(good.has_value());
    answer("h.dyn.example.org", authoritative(KNOT_RCODE_NXDOMAIN), "192.0.2.2");
    EXPECT_TRUE(good->has_value());
    const Served& bad = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", GetParam());
    answer("h.dyn.example.org", dns_failure(dns::ErrorKind::unreachable), "192.0.2.2");
    EXPECT_EQ(bad->error().server, "192.0.2.1:53") << "what the first said is told";
}

INSTANTIATE_TEST_SUITE_P(Answers, Unknowing,
                         testing::Values(authoritative(KNOT_RCODE_REFUSED),
                                         authoritative(KNOT_RCODE_SERVFAIL),
                                         not_authoritative(authoritative(KNOT_RCODE_NOERROR))));

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
    answer_no_wildcard();
    EXPECT_THAT(records->value().rdata, ElementsAre("one ", "two "));
    EXPECT_EQ(records->value().ttl, 30U);
}

TEST_F(QuerySenderTest, ANameThatDoesNotExistHasNothing) {
    for (const std::uint16_t rcode : {KNOT_RCODE_NXDOMAIN, KNOT_RCODE_NOERROR}) {
        const Served& records = look_up("h.dyn.example.org", Type::aaaa);
        EXPECT_EQ(next("192.0.2.1").type, Type::aaaa);
        answer("h.dyn.example.org", authoritative(rcode));
        ASSERT_TRUE(records->has_value());
        EXPECT_TRUE(records->value().rdata.empty());
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

struct OtherZone {
    const char* name;
    dns::Answer answer;
};
class AnotherZone : public QuerySenderTest, public testing::WithParamInterface<OtherZone> {};

TEST_P(AnotherZone, ThatAnswersIsNoticed) {
    const Served& records = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", GetParam().answer);
    EXPECT_EQ(records->error().kind, dns::ErrorKind::no_zone);
    EXPECT_THAT(records->error().detail, HasSubstr("not in dyn.example.org"));
}

INSTANTIATE_TEST_SUITE_P(
    Answers, AnotherZone,
    testing::Values(OtherZone{"AChildWithoutARecord",
                              authoritative(KNOT_RCODE_NOERROR, {}, {soa_of("h.dyn.example.org")})},
                    OtherZone{"AParent",
                              authoritative(KNOT_RCODE_NXDOMAIN, {}, {soa_of("example.org")})},
                    OtherZone{"AChildWithARecord",
                              authoritative(KNOT_RCODE_NOERROR,
                                            {{name("h.dyn.example.org"), Type::a, 30, "one "}},
                                            {{name("h.dyn.example.org"), Type::ns, 30, {}}})}),
    [](const auto& row) { return row.param.name; });

// --- wildcards

dns::Answer answer_with(const char* owner, Type type, const char* rdata, std::uint32_t ttl = 30) {
    return authoritative(KNOT_RCODE_NOERROR, {{name(owner), type, ttl, rdata}});
}

TEST_F(QuerySenderTest, ACnameAtTheNameIsAConflictOneOfAWildcardIsNot) {
    using Class = dns::UpdateRecord::Class;
    const auto cname = answer_with("h.dyn.example.org", Type::cname, "x");
    const Served& conflict = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", cname);
    answer_prerequisite(Type::cname, Class::none, KNOT_RCODE_YXRRSET);
    EXPECT_EQ(conflict->error().kind, dns::ErrorKind::cname_conflict);
    const Served& fine = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", cname);
    answer_prerequisite(Type::cname, Class::none, KNOT_RCODE_NOERROR);
    EXPECT_EQ(fine->value(), ServedRecords{.source = 1});
    const Served& unknown = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", cname);
    servers.at("192.0.2.1")
        .take_update()
        .handler(dns_failure(dns::ErrorKind::timeout), {dns::DeliveryState::in_doubt, 1});
    EXPECT_EQ(unknown->error().kind, dns::ErrorKind::timeout);
}

TEST_F(QuerySenderTest, WhatADnameHidesIsAConflict) {
    const Served& hidden = look_up("h.dyn.example.org");
    answer("h.dyn.example.org",
           authoritative(KNOT_RCODE_NOERROR, {{name("dyn.example.org"), Type::dname, 30, "x"},
                                              {name("h.dyn.example.org"), Type::cname, 30, "x"}}));
    EXPECT_EQ(hidden->error().kind, dns::ErrorKind::cname_conflict);
    EXPECT_THAT(hidden->error().detail, HasSubstr("below dyn.example.org, which is a DNAME"));
}

TEST_F(QuerySenderTest, WhatASiblingHasTooMayBeAWildcards) {
    using Class = dns::UpdateRecord::Class;
    const auto same = answer_with("*.dyn.example.org", Type::a, "one ");
    const Served& made = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    answer("*.dyn.example.org", same);
    answer_prerequisite(Type::a, Class::in, KNOT_RCODE_NXRRSET);
    EXPECT_EQ(made->value(), ServedRecords{.source = 1}) << "nothing stands there";
    const Served& own = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    answer_prerequisite(Type::a, Class::in, KNOT_RCODE_NOERROR);
    EXPECT_THAT(own->value().rdata, ElementsAre("one ")) << "the sibling is not asked again";
    const Served& refused = look_up("h.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    answer_prerequisite(Type::a, Class::in, KNOT_RCODE_REFUSED);
    EXPECT_THAT(refused->value().rdata, ElementsAre("one ")) << "as it is seen";
    for (const auto& other : {answer_with("h.dyn.example.org", Type::a, "two "),
                              answer_with("h.dyn.example.org", Type::a, "one ", 60)}) {
        const Served& different = look_up("h.dyn.example.org");
        answer("h.dyn.example.org", other);
        EXPECT_EQ(different->value().rdata.size(), 1U) << "a wildcard's would be the same";
    }
}

TEST_F(QuerySenderTest, TheSiblingIsAskedOnceForAllThatWantToKnow) {
    const Served& one = look_up("h.dyn.example.org");
    const Served& other = look_up("o.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    answer("o.dyn.example.org", answer_with("o.dyn.example.org", Type::a, "two "));
    EXPECT_EQ(under_way(), 1U);
    answer_no_wildcard();
    EXPECT_TRUE(one->has_value() && other->has_value());
    queries.forget_wildcards();
    look_up("h.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    EXPECT_EQ(under_way(), 1U) << "wildcards have changed";
    answer("*.dyn.example.org", dns_failure(dns::ErrorKind::timeout));
    EXPECT_TRUE(served.back()->has_error());
    look_up("h.dyn.example.org");
    answer("h.dyn.example.org", answer_with("h.dyn.example.org", Type::a, "one "));
    EXPECT_EQ(under_way(), 1U) << "what failed is asked again";
}

TEST_F(QuerySenderTest, NoWildcardCoversTheZonesOwnNameAndOneOfOursIsSeenByAnotherSibling) {
    const Served& apex = look_up("dyn.example.org");
    answer("dyn.example.org", answer_with("dyn.example.org", Type::a, "one "));
    EXPECT_THAT(apex->value().rdata, ElementsAre("one "));
    const Served& star = look_up("*.dyn.example.org");
    answer("*.dyn.example.org", answer_with("*.dyn.example.org", Type::a, "one "));
    EXPECT_THAT(star->value().rdata, ElementsAre("one "));
    look_up("*.h.dyn.example.org");
    answer("*.h.dyn.example.org", answer_with("*.h.dyn.example.org", Type::a, "one "));
    EXPECT_EQ(next("192.0.2.1").name, name("*.dyn.example.org"));
}

}  // namespace
}  // namespace sftdyn::update
