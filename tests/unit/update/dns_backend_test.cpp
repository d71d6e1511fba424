// SPDX-License-Identifier: GPL-3.0-or-later
// What becomes of an UPDATE at servers that answer, are away, or leave it in doubt.
#include "update/dns_backend.hpp"

#include <deque>
#include <optional>

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

using dns::Delivery;
using Sent = dns::DeliveryState;

class DnsBackendTest : public testing::Test {
protected:
    struct Applied {
        Told<dns::Reply> reply{};
        bool resolved = false;
    };

    Applied& apply(dns::UpdateContent content = std::vector<dns::Change>(1)) {
        Applied& place = applied.emplace_back();
        backend.apply(
            zone, std::move(content), time->now() + 5s,
            [&place](dns::Reply reply) {
                EXPECT_FALSE(place.resolved) << "too late";
                place.reply.tell(std::move(reply));
            },
            [&place] {
                EXPECT_FALSE(place.resolved) << "twice";
                place.resolved = true;
            });
        EXPECT_FALSE(place.reply.has_value()) << "from within the call";
        return place;
    }
    FakeServer& first() { return servers.at("192.0.2.1"); }
    FakeServer& second() { return servers.at("192.0.2.2"); }

    static void pass(const FakeServer::Update& update, unsigned connection = 1) {
        update.handler(authoritative(KNOT_RCODE_NOERROR), {Sent::answered, connection});
    }
    static void refuse(const FakeServer::Update& update, unsigned connection = 1) {
        update.handler(dns::rcode_failure(KNOT_RCODE_REFUSED, "fake", "it"),
                       {Sent::answered, connection});
    }
    static void leave_in_doubt(const FakeServer::Update& update,
                               dns::ErrorKind kind = dns::ErrorKind::timeout,
                               unsigned connection = 1) {
        update.handler(dns_failure(kind), {Sent::in_doubt, connection});
    }
    static void turn_away(const FakeServer::Update& update,
                          dns::ErrorKind kind = dns::ErrorKind::unreachable) {
        update.handler(dns_failure(kind), {Sent::unsent, 1});
    }
    /// The next thing that is sent to the server is a fence.
    FakeServer::Update fence_at(FakeServer& server) {
        while (server.updates.empty() && time->pass_to_next()) poll();
        auto update = server.take_update();
        EXPECT_TRUE(update.is_fence());
        EXPECT_EQ(update.zone, zone);
        return update;
    }
    void poll() {
        io.restart();
        io.poll();
    }
    static std::optional<dns::ErrorKind> failure(const Applied& one) {
        if (!one.reply.has_value() || one.reply->has_value()) return std::nullopt;
        return one.reply->error().kind;
    }

    boost::asio::io_context io;
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    FakeServers servers;
    DnsBackend backend{io, time, servers.maker()};
    const dns::Name zone = name("dyn.example.org");
    std::deque<Applied> applied;
    std::vector<std::string> blocked;
    bool contacted = false;

    void SetUp() override {
        backend.configure({zone_servers("dyn.example.org", {"192.0.2.1", "192.0.2.2"})});
        backend.on_blocked([this](const dns::Name& where, const dns::DnsError& why) {
            EXPECT_EQ(where, zone);
            blocked.push_back(why.detail);
        });
    }
    void TearDown() override {
        backend.close();
        poll();
        EXPECT_EQ(time->set(), 0U);
        for (const Applied& one : applied) EXPECT_TRUE(one.reply.has_value() && one.resolved);
    }
};

TEST_F(DnsBackendTest, AZoneIsInDoubtUntilItsUpdateIsResolved) {
    apply();
    const auto update = first().take_update();
    time->pass(5s);
    EXPECT_TRUE(backend.in_doubt().empty()) << "it may be answered in time";
    leave_in_doubt(update);
    const auto zones = backend.in_doubt();
    ASSERT_EQ(zones.size(), 1U);
    EXPECT_EQ(zones[0].zone, zone);
    EXPECT_EQ(zones[0].time, 0s);
    pass(fence_at(first()));
    EXPECT_TRUE(backend.in_doubt().empty());
}

TEST_F(DnsBackendTest, WhatIsAnsweredIsToldAndResolved) {
    const Applied& good = apply();
    const auto update = first().take_update();
    EXPECT_EQ(update.zone, zone);
    EXPECT_EQ(update.deadline, time->now() + 5s);
    pass(update);
    EXPECT_TRUE(good.reply->has_value());
    EXPECT_TRUE(good.resolved);
    const Applied& refused = apply();
    first().take_update().handler(dns::rcode_failure(KNOT_RCODE_YXRRSET, "fake", "it"),
                                  {Sent::answered, 1});
    EXPECT_EQ(refused.reply->error().rcode, KNOT_RCODE_YXRRSET);
    EXPECT_TRUE(refused.resolved);
    EXPECT_TRUE(second().updates.empty());
    EXPECT_EQ(time->set(), 0U) << "nothing is in doubt";
}

TEST_F(DnsBackendTest, WhatIsRefusedMayBeTakenAtTheNextAddress) {
    const Applied& taken = apply();
    refuse(first().take_update());
    EXPECT_FALSE(taken.reply.has_value());
    pass(second().take_update());
    EXPECT_TRUE(taken.reply->has_value());
    EXPECT_TRUE(taken.resolved);
    // It is asked first from then on, for a while.
    apply();
    pass(second().take_update());
    backend.look_up(zone, name("h.dyn.example.org"), dns::Type::a, time->now() + 5s,
                    [](const dns::DnsResult<ServedRecords>&) {});
    EXPECT_EQ(second().queries.size(), 1U);
    second().take_query().handler(authoritative(KNOT_RCODE_NXDOMAIN));
    time->pass(10min);
    apply();
    refuse(first().take_update());
    refuse(second().take_update());
    const auto probe = second().take_update();
    EXPECT_TRUE(probe.is_fence()) << "does it refuse all?";
    refuse(probe);
    EXPECT_EQ(applied.back().reply->error().rcode, KNOT_RCODE_REFUSED) << "of both";
    EXPECT_TRUE(applied.back().resolved);
    EXPECT_EQ(time->set(), 0U) << "nothing is in doubt";
}

struct Refusal {
    const char* name;
    std::uint16_t answer;
    std::uint16_t to_nothing;  ///< answered to an UPDATE that changes nothing
    const char* cause;
};

class RefusedUpdate : public DnsBackendTest, public testing::WithParamInterface<Refusal> {
protected:
    void SetUp() override {
        DnsBackendTest::SetUp();
        backend.configure({zone_servers("dyn.example.org", {"192.0.2.1"})});
    }
    const Applied& change(const char* host) {
        return apply(std::vector<dns::Change>{
            {name(host), dns::Type::a, dns::ChangeKind::replace, 30, "abcd"}});
    }
    void answer(std::uint16_t rcode) {
        const auto update = first().take_update();
        if (rcode == KNOT_RCODE_NOERROR) return pass(update);
        update.handler(dns::rcode_failure(rcode, "fake", "it"), {Sent::answered, 1});
    }
};

TEST_P(RefusedUpdate, IsToldFromThatOfTheWholeZone) {
    const Applied& one = change("a_b.dyn.example.org");
    answer(GetParam().answer);
    EXPECT_FALSE(one.reply.has_value());
    ASSERT_TRUE(first().updates.at(0).is_fence());
    answer(GetParam().to_nothing);
    EXPECT_EQ(one.reply->error().rcode, GetParam().answer);
    EXPECT_THAT(one.reply->error().cause, HasSubstr(GetParam().cause));
    // It is not asked again at once.
    const Applied& other = change("a_b.dyn.example.org");
    answer(GetParam().answer);
    EXPECT_THAT(other.reply->error().cause, HasSubstr(GetParam().cause));
    EXPECT_TRUE(first().updates.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Refusals, RefusedUpdate,
    testing::Values(Refusal{"ByPolicy", KNOT_RCODE_REFUSED, KNOT_RCODE_NOERROR,
                            "this name or type"},
                    Refusal{"ByCheckNames", KNOT_RCODE_REFUSED, KNOT_RCODE_NOERROR, "check-names"},
                    Refusal{"Frozen", KNOT_RCODE_REFUSED, KNOT_RCODE_REFUSED, "rndc thaw"},
                    Refusal{"NotWritable", KNOT_RCODE_SERVFAIL, KNOT_RCODE_NOERROR, "DNSSEC"},
                    Refusal{"NotLoaded", KNOT_RCODE_SERVFAIL, KNOT_RCODE_SERVFAIL, "not loaded"}),
    [](const auto& row) { return row.param.name; });

TEST_F(DnsBackendTest, ARefusalThatDoesNotVerifyPutsTheAddressLast) {
    apply();
    first().take_update().handler(dns::rcode_failure(KNOT_RCODE_REFUSED, "fake", "it"),
                                  {Sent::in_doubt, 1});
    EXPECT_TRUE(second().updates.empty()) << "it may still be carried out";
    pass(fence_at(first()));
    apply();
    pass(second().take_update());
}

TEST_F(DnsBackendTest, AChangeOfAWildcardMakesWhatItMadeUnknown) {
    const auto look_up = [this](const char* host) {
        backend.look_up(zone, name(host), dns::Type::a, time->now() + 5s,
                        [](const dns::DnsResult<ServedRecords>&) {});
        const auto query = first().take_query();
        query.handler(authoritative(KNOT_RCODE_NOERROR, {{query.name, query.type, 30, "abcd"}}));
    };
    look_up("h.dyn.example.org");
    first().take_query().handler(authoritative(KNOT_RCODE_NXDOMAIN));
    look_up("o.dyn.example.org");
    EXPECT_TRUE(first().queries.empty()) << "what is beside it is known";
    apply(std::vector<dns::Change>{
        {name("*.dyn.example.org"), dns::Type::a, dns::ChangeKind::replace, 30, "abcd"}});
    look_up("h.dyn.example.org");
    first().take_query().handler(authoritative(KNOT_RCODE_NXDOMAIN));
    pass(first().take_update());
    look_up("h.dyn.example.org");
    EXPECT_EQ(first().take_query().name, name("*.dyn.example.org")) << "it may be made since";
}

TEST_F(DnsBackendTest, AServerThatAnswersNoQueriesIsProbedByAFence) {
    ZoneServers config = zone_servers("dyn.example.org", {"192.0.2.1"});
    config.queries = false;
    backend.configure({config});
    std::vector<ServerState> states;
    backend.probe(time->now() + 5s, ProbeEnd::all_answered,
                  [&](const std::vector<ServerState>& told) { states = told; });
    EXPECT_TRUE(first().queries.empty());
    const auto probe = first().take_update();
    EXPECT_TRUE(probe.is_fence());
    refuse(probe);
    ASSERT_EQ(states.size(), 1U);
    EXPECT_FALSE(states[0].failure.has_value()) << "it answers";
}

TEST_F(DnsBackendTest, TheContentIsSentAsItIs) {
    const std::vector<dns::Change> changes{
        {name("h.dyn.example.org"), dns::Type::a, dns::ChangeKind::replace, 30, "abcd"}};
    apply(changes);
    const auto update = first().take_update();
    EXPECT_EQ(std::get<std::vector<dns::Change>>(update.content), changes);
    pass(update);
}

TEST_F(DnsBackendTest, WithoutAServerNothingIsSentAndNothingIsInDoubt) {
    backend.configure({});
    const Applied& one = apply();
    poll();
    EXPECT_EQ(failure(one), dns::ErrorKind::no_zone);
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, WhatCouldNotBeSentGoesToTheNextAddressInWhatIsLeftOfTheTime) {
    const auto began = time->now();
    const Applied& one = apply();
    const auto update = first().take_update();
    EXPECT_EQ(update.send_by, began + 2500ms);
    EXPECT_EQ(update.deadline, began + 5s);
    time->pass(1s);
    turn_away(update);
    EXPECT_FALSE(one.reply.has_value());
    const auto next = second().take_update();
    EXPECT_EQ(next.send_by, began + 5s);
    EXPECT_EQ(next.deadline, began + 5s);
    pass(next);
    EXPECT_TRUE(one.reply->has_value());
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, AnAddressThatWasDownIsAvoidedAndAskedAgain) {
    apply();
    turn_away(first().take_update());
    pass(second().take_update());
    apply();
    EXPECT_TRUE(first().updates.empty());
    pass(second().take_update());
    time->pass(15s);
    apply();
    pass(first().take_update());
}

TEST_F(DnsBackendTest, WhenNoAddressTakesItItFailsAtOnce) {
    const Applied& one = apply();
    turn_away(first().take_update());
    turn_away(second().take_update(), dns::ErrorKind::timeout);
    EXPECT_EQ(failure(one), dns::ErrorKind::timeout);
    EXPECT_TRUE(one.resolved);
    EXPECT_EQ(time->set(), 0U);
}

TEST_F(DnsBackendTest, WhatIsNoOutageIsNotSentElsewhere) {
    const Applied& one = apply();
    turn_away(first().take_update(), dns::ErrorKind::key_file);
    EXPECT_EQ(failure(one), dns::ErrorKind::key_file);
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(second().updates.empty());
}

TEST_F(DnsBackendTest, AfterItsDeadlineItIsSentToNobody) {
    const Applied& one = apply();
    const auto update = first().take_update();
    time->pass(5s);
    turn_away(update, dns::ErrorKind::timeout);
    EXPECT_EQ(failure(one), dns::ErrorKind::timeout);
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(second().updates.empty());
}

TEST_F(DnsBackendTest, WhatMayHaveArrivedIsToldAtOnceAndGoesToNobodyElse) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    EXPECT_EQ(failure(one), dns::ErrorKind::timeout);
    EXPECT_FALSE(one.resolved);
    EXPECT_TRUE(second().updates.empty());
    pass(fence_at(first()));
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(first().updates.empty() && second().updates.empty());
    EXPECT_TRUE(blocked.empty());
}

TEST_F(DnsBackendTest, AnAnswerThatDoesNotVerifyLeavesItInDoubt) {
    const Applied& one = apply();
    first().take_update().handler(dns::rcode_failure(KNOT_RCODE_REFUSED, "fake", "it"),
                                  {Sent::in_doubt, 1});
    EXPECT_EQ(failure(one), dns::ErrorKind::rcode);
    EXPECT_FALSE(one.resolved);
    pass(fence_at(first()));
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, ItsOwnLateAnswerResolvesIt) {
    const Applied& one = apply();
    const auto update = first().take_update();
    leave_in_doubt(update);
    update.late(authoritative(KNOT_RCODE_NOERROR), 1);
    EXPECT_TRUE(one.resolved);
    time->pass(10s);
    EXPECT_TRUE(first().updates.empty()) << "nothing is in doubt any more";
}

TEST_F(DnsBackendTest, TheLateAnswerToOneUpdateDoesNotResolveAnother) {
    const Applied& one = apply();
    const auto update = first().take_update();
    leave_in_doubt(update);
    const Applied& other = apply();
    leave_in_doubt(second().take_update());
    update.late(dns::rcode_failure(KNOT_RCODE_REFUSED, "fake", "it"), 1);
    EXPECT_TRUE(one.resolved);
    EXPECT_FALSE(other.resolved);
}

TEST_F(DnsBackendTest, AFenceOnAnotherConnectionTakesASecond) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update(), dns::ErrorKind::timeout, 1);
    pass(fence_at(first()), 2);
    EXPECT_FALSE(one.resolved);
    pass(fence_at(first()), 2);
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, AFenceThatIsNotAnsweredIsFollowedByOneAtAnotherAddress) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    const auto fence = fence_at(first());
    EXPECT_EQ(fence.deadline, time->now() + 1s);
    EXPECT_EQ(first().ends_if_silent, 1U) << "something on the way may have forgotten it";
    leave_in_doubt(fence);
    const auto next = fence_at(second());
    EXPECT_TRUE(first().updates.empty());
    EXPECT_TRUE(blocked.empty()) << "silence has no reason to tell";
    fence.late(authoritative(KNOT_RCODE_NOERROR), 1);
    EXPECT_TRUE(one.resolved) << "its answer counts when it comes";
    pass(next);
}

TEST_F(DnsBackendTest, AFenceThatCouldNotBeSentGoesToTheNextAddress) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    turn_away(fence_at(first()));
    ASSERT_EQ(second().updates.size(), 1U);
    pass(second().take_update());
    EXPECT_FALSE(one.resolved) << "the first fence on that way";
    turn_away(fence_at(first()));
    pass(second().take_update());
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, ARefusedFenceResolvesNothingAndTellsWhy) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    refuse(fence_at(first()));
    EXPECT_TRUE(blocked.empty()) << "the other address may be the primary's";
    refuse(fence_at(second()));
    EXPECT_FALSE(one.resolved);
    ASSERT_EQ(blocked.size(), 1U);
    EXPECT_THAT(blocked[0], HasSubstr("REFUSED"));
    EXPECT_TRUE(first().updates.empty() && second().updates.empty()) << "not at once";
    EXPECT_EQ(time->until_next(), 50ms);
    // The next attempt begins with the other address.
    pass(fence_at(second()));
    pass(fence_at(second()));
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, WhatWasLostWithItsConnectionIsSentAgainWhenItIsResolved) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
    EXPECT_FALSE(one.reply.has_value());
    const auto fence = fence_at(first());
    EXPECT_TRUE(second().updates.empty());
    pass(fence);
    EXPECT_FALSE(one.reply.has_value());
    // The address that ended the connection comes last.
    const auto again = second().take_update();
    EXPECT_FALSE(again.is_fence());
    pass(again);
    EXPECT_TRUE(one.reply->has_value());
    EXPECT_TRUE(one.resolved);
    EXPECT_EQ(time->set(), 0U);
}

TEST_F(DnsBackendTest, WhatIsLostIsSentThreeTimes) {
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.1"})});
    const Applied& one = apply();
    for (int sends = 1; sends < 3; ++sends) {
        leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
        EXPECT_FALSE(one.reply.has_value());
        pass(fence_at(first()));
    }
    leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
    EXPECT_EQ(failure(one), dns::ErrorKind::connection);
    EXPECT_FALSE(one.resolved);
    pass(fence_at(first()));
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(first().updates.empty());
}

TEST_F(DnsBackendTest, AConnectionThatEndsBeforeItWasSentIsTriedThreeTimes) {
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.1"})});
    const Applied& one = apply();
    for (int sends = 1; sends < 3; ++sends) {
        turn_away(first().take_update(), dns::ErrorKind::connection);
        EXPECT_FALSE(one.reply.has_value());
    }
    turn_away(first().take_update(), dns::ErrorKind::connection);
    EXPECT_EQ(failure(one), dns::ErrorKind::connection);
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, AScriptWithPrerequisitesIsNotSentTwice) {
    dns::UpdateMessage message;
    message.prerequisites.push_back({name("h.dyn.example.org"), dns::Type::a});
    message.updates.push_back({name("h.dyn.example.org"), dns::Type::a});
    const Applied& one = apply(message);
    leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
    EXPECT_EQ(failure(one), dns::ErrorKind::connection);
    EXPECT_FALSE(one.resolved);
    pass(fence_at(first()));
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(first().updates.empty() && second().updates.empty());
}

TEST_F(DnsBackendTest, AScriptWithoutThemIsSentAgain) {
    dns::UpdateMessage message;
    message.updates.push_back({name("h.dyn.example.org"), dns::Type::a});
    const Applied& one = apply(message);
    leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
    pass(fence_at(first()));
    pass(second().take_update());
    EXPECT_TRUE(one.reply->has_value());
}

TEST_F(DnsBackendTest, WhatIsNotResolvedByItsDeadlineFailsThenAndIsNotSentAgain) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update(), dns::ErrorKind::connection);
    const auto fence = fence_at(first());
    time->pass(5s - 1ns);
    EXPECT_FALSE(one.reply.has_value());
    time->pass(1ns);
    EXPECT_EQ(failure(one), dns::ErrorKind::connection);
    EXPECT_FALSE(one.resolved);
    pass(fence);
    EXPECT_TRUE(one.resolved);
    EXPECT_TRUE(first().updates.empty() && second().updates.empty());
}

TEST_F(DnsBackendTest, TheFirstContactIsTwoFences) {
    backend.contact(zone, [this] { contacted = true; });
    EXPECT_FALSE(contacted);
    pass(fence_at(first()));
    EXPECT_FALSE(contacted);
    pass(fence_at(first()));
    EXPECT_TRUE(contacted);
}

TEST_F(DnsBackendTest, TheContactWithAZoneThatNobodyServesTellsWhyAndGoesOn) {
    backend.configure({});
    backend.contact(zone, [this] { contacted = true; });
    time->pass(0s);
    poll();
    ASSERT_EQ(blocked.size(), 1U);
    EXPECT_THAT(blocked[0], HasSubstr("no DNS server is configured"));
    EXPECT_FALSE(contacted);
    EXPECT_EQ(time->set(), 1U);
}

TEST_F(DnsBackendTest, AReplacedServerIsKeptUntilNothingIsInDoubtThere) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.3"})});
    EXPECT_FALSE(first().closed);
    EXPECT_TRUE(servers.at("192.0.2.3").updates.empty());
    pass(fence_at(first()));
    EXPECT_TRUE(one.resolved);
    poll();
    EXPECT_TRUE(first().closed);
    EXPECT_FALSE(servers.at("192.0.2.3").closed);
}

TEST_F(DnsBackendTest, WhereAReplacedServerIsGoneTheNewOneIsAskedForTheFence) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.3"})});
    FakeServer& third = servers.at("192.0.2.3");
    for (int fences = 0; fences < 2; ++fences) {
        EXPECT_FALSE(one.resolved);
        turn_away(fence_at(first()));
        turn_away(second().take_update());
        pass(third.take_update());
    }
    EXPECT_TRUE(one.resolved);
}

TEST_F(DnsBackendTest, AnotherConfigurationMayKnowAReverseNameThatWasRefused) {
    backend.configure({zone_servers(nullptr, {"192.0.2.1"})});
    const auto find = [this] {
        backend.find_zone(name("1.2.0.192.in-addr.arpa"), time->now() + 5s,
                          [](const dns::DnsResult<dns::Name>&) {});
    };
    find();
    first().take_query().handler(authoritative(KNOT_RCODE_REFUSED));
    find();
    EXPECT_TRUE(first().queries.empty());
    backend.configure({zone_servers(nullptr, {"192.0.2.1"})});
    find();
    EXPECT_EQ(first().queries.size(), 1U);
}

TEST_F(DnsBackendTest, AtTheEndAllIsResolvedAndAllIsClosed) {
    const Applied& one = apply();
    leave_in_doubt(first().take_update());
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.3"})});
    dns::UpdateMessage message;  // it is not sent again
    message.prerequisites.push_back({name("h.dyn.example.org"), dns::Type::a});
    const Applied& under_way = apply(message);
    EXPECT_EQ(servers.at("192.0.2.3").updates.size(), 1U);
    backend.close();
    EXPECT_TRUE(one.resolved);
    EXPECT_EQ(failure(under_way), dns::ErrorKind::connection);
    for (const char* server : {"192.0.2.1", "192.0.2.2", "192.0.2.3"})
        EXPECT_TRUE(servers.at(server).closed) << server;
    const Applied& late = apply();
    poll();
    EXPECT_EQ(failure(late), dns::ErrorKind::no_zone);
}

class ProbeTest : public DnsBackendTest {
protected:
    using States = std::optional<std::vector<ServerState>>;
    void probe(States& states, ProbeEnd end = ProbeEnd::all_answered) {
        backend.probe(time->now() + 2s, end, [&states](const std::vector<ServerState>& all) {
            EXPECT_FALSE(states.has_value()) << "twice";
            states = all;
        });
        EXPECT_FALSE(states.has_value()) << "from within the call";
    }
};

TEST_F(ProbeTest, EachAddressOfEachServerIsAskedAndAllAreAwaited) {
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.1", "192.0.2.2"}),
                       zone_servers(nullptr, {"192.0.2.3"})});
    States states;
    probe(states);
    const auto query = servers.at("192.0.2.3").take_query();
    EXPECT_TRUE(query.name.is_root());
    EXPECT_EQ(query.type, dns::Type::soa);
    EXPECT_EQ(query.deadline, time->now() + 2s);
    query.handler(dns_failure(dns::ErrorKind::timeout));
    const auto other = first().take_query();
    EXPECT_EQ(other.name, zone);
    other.handler(authoritative(KNOT_RCODE_REFUSED));
    EXPECT_FALSE(states.has_value());
    second().take_query().handler(dns_failure(dns::ErrorKind::bad_key));
    ASSERT_TRUE(states.has_value());
    ASSERT_EQ(states->size(), 3U);
    EXPECT_EQ((*states)[0].name, "192.0.2.1:53");
    EXPECT_EQ((*states)[0].zone, zone);
    EXPECT_FALSE((*states)[0].failure.has_value()) << "it answers, and takes our signature";
    EXPECT_EQ((*states)[1].failure->kind, dns::ErrorKind::bad_key);
    EXPECT_EQ((*states)[2].name, "192.0.2.3:53");
    EXPECT_FALSE((*states)[2].zone.has_value());
    EXPECT_EQ((*states)[2].failure->kind, dns::ErrorKind::timeout);
}

TEST_F(ProbeTest, OneAddressOfEachServerIsEnoughToBeAsked) {
    backend.configure({zone_servers("dyn.example.org", {"192.0.2.1", "192.0.2.2"}),
                       zone_servers(nullptr, {"192.0.2.3"})});
    States states, all;
    probe(states, ProbeEnd::can_be_asked);
    second().take_query().handler(authoritative(KNOT_RCODE_NOERROR));
    EXPECT_FALSE(states.has_value()) << "the other zones' server has not answered";
    servers.at("192.0.2.3").take_query().handler(authoritative(KNOT_RCODE_NOERROR));
    ASSERT_TRUE(states.has_value());
    EXPECT_TRUE(can_be_asked(*states));
    EXPECT_TRUE((*states)[0].failure.has_value()) << "it has not answered";
    first().take_query().handler(dns_failure(dns::ErrorKind::timeout));

    probe(all, ProbeEnd::can_be_asked);
    first().take_query().handler(authoritative(KNOT_RCODE_NOERROR));
    second().take_query().handler(authoritative(KNOT_RCODE_NOERROR));
    servers.at("192.0.2.3").take_query().handler(dns_failure(dns::ErrorKind::timeout));
    ASSERT_TRUE(all.has_value());
    EXPECT_FALSE(can_be_asked(*all));
}

TEST_F(ProbeTest, WithoutServersThereIsNothingToTell) {
    backend.configure({});
    States states;
    probe(states);
    poll();
    ASSERT_TRUE(states.has_value());
    EXPECT_TRUE(states->empty());
}

}  // namespace
}  // namespace sftdyn::update
