// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/batch_sender.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

class BatchSenderTest : public EnginePartsTest {
protected:
    void SetUp() override {
        zone = batches.open_zone(backend.zones.front());
        backend.run_searches();
    }
    /// Everything is known of the host, so that a change of it is sent at once.
    void know(int number) {
        parts.rrsets.set_zone(rrset(number).host, zone);
        known.set(rrset(number), address(99), now, 30);
    }
    const Told& change(int number) {
        know(number);
        return submit(number, address(number));
    }
    std::vector<std::string> next_owners() { return owners(backend.next_update()); }

    ZoneIndex zone{};
};

TEST_F(BatchSenderTest, AZoneIsContactedOnceAndNothingIsSentBefore) {
    EXPECT_EQ(backend.contacts, 1U);
    EXPECT_EQ(batches.open_zone(backend.zones.front()), zone);
    EXPECT_EQ(backend.contacts, 1U);
    backend.hold_contacts = true;
    const dns::Name name = dns::Name::parse("other.example.org").value();
    const ZoneIndex other = batches.open_zone(name);
    EXPECT_NE(other, zone);
    const HostId in_other = hosts.number(host(1, "other.example.org"));
    parts.rrsets.set_zone(in_other, other);
    known.set({in_other, a}, address(99), now, 30);
    DesiredRecord desired = record(1, address(1));
    desired.rrset.host = in_other;
    submit(desired);
    EXPECT_EQ(state({in_other, a}), RrsetState::queued);
    EXPECT_TRUE(backend.updates.empty());
    change(1);
    EXPECT_EQ(backend.updates.size(), 1U) << "another zone does not wait for it";
    backend.updates.clear();
    backend.make_contact();
    backend.run_searches();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_EQ(backend.next_update().zone, name);
}

TEST_F(BatchSenderTest, WhatComesWhileAnUpdateIsUnderWayGoesOutAsOne) {
    change(1);
    change(2);
    change(3);
    EXPECT_EQ(backend.updates.size(), 1U);
    const auto first = backend.take_update();
    first.done(dns::Answer{});
    EXPECT_TRUE(backend.updates.empty()) << "it is answered, but not resolved";
    first.resolved();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org", "h3.dyn.example.org"));
}

TEST_F(BatchSenderTest, SoManyAreUnderWayAsTheSettingAllows) {
    parts.limits.updates_in_flight = 2;
    for (const int number : {1, 2, 3}) change(number);
    EXPECT_EQ(backend.updates.size(), 2U);
    lose(backend.take_update());
    backend.answer(backend.take_update());
    EXPECT_TRUE(backend.updates.empty()) << "one is in doubt";
}

TEST_F(BatchSenderTest, AnUpdateHasTheTimeOfItsLatestDesiredRecord) {
    change(1);
    change(2);
    now += 1s;
    change(3);
    backend.answer(backend.take_update());
    EXPECT_EQ(backend.next_update().changes.size(), 2U);
    EXPECT_EQ(backend.last_deadline, now + 5s - 100ms);
}

TEST_F(BatchSenderTest, WhatAnUpdateHeldAndHowLongItTookIsTold) {
    std::vector<std::pair<std::size_t, base::Duration>> told;
    parts.on_update = [&](std::size_t changes, base::Duration took) {
        told.emplace_back(changes, took);
    };
    change(1);
    change(2);
    change(3);
    now += 20ms;
    backend.answer(backend.take_update());
    now += 1s;
    lose(backend.take_update());
    EXPECT_THAT(told, ElementsAre(std::pair(std::size_t(1), base::Duration(20ms)),
                                  std::pair(std::size_t(2), base::Duration(1s))));
}

TEST_F(BatchSenderTest, EachChangeIsToldWheneverItIsSent) {
    std::vector<RrsetKey> told;
    parts.on_change = [&](const RrsetKey& changed) { told.push_back(changed); };
    change(1);
    EXPECT_THAT(told, ElementsAre(rrset(1)));
    change(2);
    change(3);
    EXPECT_EQ(told.size(), 1U) << "they wait";
    backend.answer(backend.take_update());
    EXPECT_THAT(told, ElementsAre(rrset(1), rrset(2), rrset(3)));
    backend.refused.insert("h3.dyn.example.org");
    backend.answer(backend.take_update());
    EXPECT_THAT(told, ElementsAre(rrset(1), rrset(2), rrset(3), rrset(2)))
        << "each by itself, again";
}

TEST_F(BatchSenderTest, WhileAnUpdateIsInDoubtNothingIsSentOrAsked) {
    const Told& lost = change(1);
    const auto update = backend.take_update();
    lose(update);
    EXPECT_EQ(status(lost), UpdateStatus::failed);
    change(2);
    parts.rrsets.set_zone(rrset(3).host, zone);
    submit(3, address(3));
    EXPECT_EQ(state(rrset(2)), RrsetState::queued);
    EXPECT_EQ(state(rrset(3)), RrsetState::blocked);
    EXPECT_TRUE(backend.updates.empty() && backend.queries.empty());
    update.resolved();
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org"));
    EXPECT_EQ(backend.queries.size(), 1U);
    EXPECT_EQ(state(rrset(3)), RrsetState::asking);
}

TEST_F(BatchSenderTest, TwoInDoubtBlockUntilBothAreResolved) {
    parts.limits.updates_in_flight = 2;
    change(1);
    change(2);
    const auto first = backend.take_update(), second = backend.take_update();
    lose(first);
    lose(second);
    parts.rrsets.set_zone(rrset(3).host, zone);
    submit(3, address(3));
    first.resolved();
    EXPECT_EQ(state(rrset(3)), RrsetState::blocked);
    second.resolved();
    EXPECT_EQ(state(rrset(3)), RrsetState::asking);
}

TEST_F(BatchSenderTest, ARefusedBatchIsHalvedUntilTheCulpritStandsAlone) {
    change(9);
    std::vector<const Told*> told;
    for (const int number : {1, 2, 3, 4}) told.push_back(&change(number));
    backend.refused = {host(3).text()};
    backend.answer(backend.take_update());
    EXPECT_EQ(backend.next_update().changes.size(), 4U);
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h1.dyn.example.org", "h2.dyn.example.org"));
    change(5);
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h3.dyn.example.org", "h4.dyn.example.org"));
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h3.dyn.example.org"));
    backend.answer(backend.take_update());
    EXPECT_EQ(status(*told[2]), UpdateStatus::failed);
    EXPECT_TRUE(reconciler.is_quarantined(rrset(3)));
    EXPECT_THAT(next_owners(), ElementsAre("h4.dyn.example.org"));
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h5.dyn.example.org")) << "after all of its parts";
    for (const std::size_t other : {0U, 1U, 3U})
        EXPECT_EQ(status(*told[other]), UpdateStatus::committed) << other;
}

TEST_F(BatchSenderTest, WhatWasRefusedAloneTravelsAlone) {
    backend.refused = {host(1).text()};
    change(1);
    backend.answer(backend.take_update());
    backend.refused.clear();
    change(9);
    change(2);
    change(1);
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h1.dyn.example.org"));
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org"));
}

TEST_F(BatchSenderTest, WhatBelongsTogetherIsNotParted) {
    change(9);
    for (const int number : {1, 2}) know(number);
    const auto& told = submit_group({record(1, address(1)), record(2, address(2))});
    backend.answer(backend.take_update());
    backend.refused = {host(2).text()};
    ASSERT_EQ(backend.next_update().changes.size(), 2U);
    backend.answer(backend.take_update());
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_THAT(statuses(told), ElementsAre(UpdateStatus::failed, UpdateStatus::failed));
}

TEST_F(BatchSenderTest, WhatHasBeenGivenUpIsNotSent) {
    change(9);
    const Told& late = change(1);
    now += 1s;
    change(2);
    for (const int number : {3, 4}) know(number);
    now -= 1s;
    const auto& both = submit_group({record(3, address(3)), record(4, address(4))});
    now += 1s;
    tick_after(4s);
    EXPECT_EQ(status(late), UpdateStatus::failed);
    EXPECT_THAT(statuses(both), ElementsAre(UpdateStatus::failed, UpdateStatus::failed));
    EXPECT_EQ(parts.rrsets.size(), 5U) << "their changes are still queued";
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org"));
    EXPECT_EQ(parts.rrsets.find(rrset(1)), nullptr);
    EXPECT_EQ(parts.rrsets.find(rrset(3)), nullptr);
    EXPECT_FALSE(known.is_served(rrset(1), address(99), base::TimePoint::min()));
}

TEST_F(BatchSenderTest, WhenNothingOfABatchIsWantedTheNextGoesOut) {
    parts.limits.batch = 1;
    change(9);
    change(1);
    now += 1s;
    change(2);
    tick_after(4s);
    backend.answer(backend.take_update());
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org"));
}

TEST_F(BatchSenderTest, WhatAnotherServerSaidIsToldToNobody) {
    const Told& told = change(1);
    const auto update = backend.take_update();
    ++parts.generation;
    backend.answer(update);
    EXPECT_FALSE(told.has_value());
    EXPECT_EQ(state(rrset(1)), RrsetState::asking);
    EXPECT_TRUE(failures.empty());
}

TEST_F(BatchSenderTest, AReasonThatBlocksTheZoneFailsAllThatWaitsForIt) {
    const dns::DnsError why = dns::rcode_failure(9, "fake", "the fence");
    batches.blocked(backend.zones.front(), why);
    batches.blocked(dns::Name::parse("unknown.example.org").value(), why);
    change(1);
    const Told& before = change(2);
    batches.blocked(backend.zones.front(), why);
    EXPECT_FALSE(before.has_value()) << "nothing is in doubt";
    const auto update = backend.take_update();
    parts.rrsets.set_zone(rrset(3).host, zone);
    lose(update);
    failures.clear();
    const Told& blocked = submit(3, address(3));
    const Told& script = submit_script(4, {message_for(4, address(4))});
    backend.run_searches();
    batches.blocked(backend.zones.front(), why);
    EXPECT_EQ(status(before), UpdateStatus::failed);
    EXPECT_EQ(status(blocked), UpdateStatus::failed);
    EXPECT_EQ(status(script), UpdateStatus::failed);
    ASSERT_EQ(failures.size(), 3U);
    for (const std::string& failure : failures)
        EXPECT_THAT(failure, HasSubstr("NOTAUTH to the fence"));
    update.resolved();
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(BatchSenderTest, ScriptsAndBatchesTakeTurnsAndAScriptGoesAlone) {
    parts.limits.updates_in_flight = 2;
    change(1);
    parts.rrsets.set_zone(rrset(7).host, zone);
    submit_script(7, {message_for(7, address(7)), message_for(7, address(8))});
    change(2);
    EXPECT_EQ(backend.updates.size(), 1U) << "it is the script's turn, which goes alone";
    backend.answer(backend.take_update());
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_TRUE(backend.next_update().message.has_value());
    backend.answer(backend.take_update());
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_THAT(next_owners(), ElementsAre("h2.dyn.example.org"));
    backend.answer(backend.take_update());
    EXPECT_TRUE(backend.next_update().message.has_value());
}

}  // namespace
}  // namespace sftdyn::update
