// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_sender.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

class ScriptSenderTest : public EnginePartsTest {
protected:
    void SetUp() override {
        zone = batches.open_zone(backend.zones.front());
        backend.run_searches();
        for (int number = 1; number <= 3; ++number) parts.rrsets.set_zone(rrset(number).host, zone);
        backend.searches = 0;
    }
    /// The message that is under way, which is that.
    FakeBackend::Update take(const dns::UpdateMessage& message) {
        EXPECT_EQ(backend.updates.size(), 1U);
        auto update = backend.take_update();
        EXPECT_TRUE(update.message && update.message->updates == message.updates);
        return update;
    }
    bool can_pay(int number) {
        return !parts.rate_limiter.spend(rrset(number).host, now).has_value();
    }

    ZoneIndex zone{};
    const dns::UpdateMessage first = message_for(1, address(1)),
                             second = message_for(1, address(2));
};

TEST_F(ScriptSenderTest, MessagesGoOutOneAfterTheOtherEachWhenTheLastIsResolved) {
    const Told& told = submit_script(1, {first, second});
    const auto update = take(first);
    EXPECT_EQ(backend.last_deadline, now + 5s - 100ms);
    update.done(dns::Answer{});
    EXPECT_TRUE(backend.updates.empty());
    update.resolved();
    const auto next = take(second);
    next.done(dns::Answer{});
    EXPECT_FALSE(told.has_value());
    next.resolved();
    EXPECT_EQ(status(told), UpdateStatus::committed);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ScriptSenderTest, ItTakesItsPlaceInBothFamiliesAndWaitsForIt) {
    const Told& before = submit(1, std::string(16, 'x'), aaaa);
    submit_script(1, {first, second});
    const Told& after = submit(1, address(9));
    EXPECT_EQ(state(rrset(1)), RrsetState::ready);
    backend.run_queries();
    EXPECT_TRUE(backend.next_update().message == std::nullopt) << "the desired record's";
    backend.answer(backend.take_update());
    EXPECT_EQ(status(before), UpdateStatus::committed);
    backend.answer(take(first));
    EXPECT_EQ(state(rrset(1)), RrsetState::in_flight);
    EXPECT_EQ(state(rrset(1, aaaa)), RrsetState::in_flight);
    backend.answer(take(second));
    EXPECT_FALSE(after.has_value());
    EXPECT_EQ(backend.queries.size(), 1U) << "what was accepted after it goes on";
    backend.run();
    EXPECT_EQ(status(after), UpdateStatus::committed);
}

TEST_F(ScriptSenderTest, TheRecordThatItIsAboutIsAPlaceOfItsOwn) {
    const RrsetKey pointer = rrset(1, ptr);
    scripts.submit(pointer, {first}, [](UpdateOutcome) {}, {});
    EXPECT_EQ(parts.rrsets.size(), 3U);
    EXPECT_EQ(state(pointer), RrsetState::in_flight);
}

TEST_F(ScriptSenderTest, AMessagesOwnZoneIsNotLookedFor) {
    dns::UpdateMessage named = message_for(5, address(1));
    named.zone = dns::Name::parse("example.org").value();
    submit_script(1, {named});
    backend.run_searches();
    EXPECT_EQ(backend.searches, 0U);
    EXPECT_EQ(backend.contacts, 2U);
    EXPECT_EQ(take(named).zone, *named.zone);
}

TEST_F(ScriptSenderTest, TheZoneOfTheFirstNameIsLookedForOnce) {
    const auto elsewhere = message_for(7, address(1));
    submit_script(1, {elsewhere, elsewhere});
    EXPECT_EQ(backend.searches, 1U);
    EXPECT_TRUE(backend.updates.empty());
    backend.run_searches();
    backend.answer(take(elsewhere));
    EXPECT_EQ(backend.searches, 1U);
    EXPECT_EQ(parts.zones.of(rrset(7).host), zone);
    backend.answer(take(elsewhere));
    EXPECT_EQ(parts.queries.in_flight(), 0U);
}

TEST_F(ScriptSenderTest, WithoutAZoneItFailsAndCostsNothing) {
    parts.rate_limiter.set({{1, 30s}, {}});
    backend.zones.clear();
    const Told& told = submit_script(1, {message_for(7, address(1))});
    backend.run_searches();
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_THAT(failures, ElementsAre("h1.dyn.example.org A: no zone"));
    EXPECT_EQ(parts.rrsets.size(), 0U);
    EXPECT_TRUE(can_pay(1));
}

TEST_F(ScriptSenderTest, ARefusedMessageIsToldAndDoesNotKeepBackTheNext) {
    parts.rate_limiter.set({{1, 30s}, {}});
    const Told& told = submit_script(1, {message_for(2, address(1)), second});
    backend.refused = {host(2).text()};
    backend.answer(backend.take_update());
    EXPECT_FALSE(told.has_value());
    EXPECT_THAT(failures.at(0), HasSubstr("h1.dyn.example.org A: the DNS server answered REFUSED"));
    EXPECT_EQ(parts.zones.of(rrset(2).host), unresolved_zone) << "it may have moved";
    backend.answer(take(second));
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_TRUE(can_pay(1));
}

TEST_F(ScriptSenderTest, TheZoneThatAMessageNamesIsNotForgottenWhenItIsRefused) {
    dns::UpdateMessage named = first;
    named.zone = backend.zones.front();
    submit_script(1, {named});
    backend.refused = {host(1).text()};
    backend.answer(backend.take_update());
    EXPECT_EQ(parts.zones.of(rrset(1).host), zone);
}

TEST_F(ScriptSenderTest, AMessageWithoutAnAnswerEndsItAndHoldsItsPlacesUntilItIsResolved) {
    const Told& told = submit_script(1, {first, second});
    const Told& after = submit(1, address(9));
    const auto update = take(first);
    lose(update);
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_EQ(state(rrset(1)), RrsetState::in_flight);
    update.resolved();
    EXPECT_TRUE(backend.updates.empty()) << "its next message is not sent";
    backend.run();
    EXPECT_EQ(status(after), UpdateStatus::committed);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ScriptSenderTest, WhatIsServedAlreadyNeedsNoScript) {
    parts.rate_limiter.set({{1, 30s}, {}});
    known.set(rrset(1), address(1), now);
    const Told& needless = submit_script(1, {first}, address(1));
    EXPECT_EQ(status(needless), UpdateStatus::unchanged);
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_TRUE(known.is_served(rrset(1), address(1), now));
    EXPECT_TRUE(can_pay(1));
    parts.rate_limiter.set({{0, 30s}, {}});
    backend.served(host(1), a) = {address(1), address(2)};
    known.clear();
    submit_script(1, {first}, address(1));
    EXPECT_EQ(state(rrset(1)), RrsetState::asking) << "it must be known first";
    backend.run_queries();
    EXPECT_EQ(backend.updates.size(), 1U) << "it is not the only one";
}

TEST_F(ScriptSenderTest, WithoutThatNothingIsAsked) {
    known.set(rrset(1), address(1), now);
    submit_script(1, {first});
    EXPECT_EQ(backend.lookups, 0U);
    EXPECT_EQ(backend.updates.size(), 1U);
}

TEST_F(ScriptSenderTest, SoManyAreTakenAndNoMore) {
    parts.limits.queue = 2;
    submit_script(1, {first});
    const Told& second_one = submit_script(2, {message_for(2, address(1))});
    const Told& full = submit_script(3, {message_for(3, address(1))});
    EXPECT_EQ(status(full), UpdateStatus::overloaded);
    EXPECT_EQ(full->retry_after, 5s);
    backend.run();
    EXPECT_EQ(status(second_one), UpdateStatus::committed);
    EXPECT_FALSE(submit_script(3, {message_for(3, address(1))}).has_value());
}

TEST_F(ScriptSenderTest, AHostPaysForAScriptThatHasComeAbout) {
    parts.rate_limiter.set({{1, 30s}, {}});
    const Told& lost = submit_script(1, {first});
    const auto update = take(first);
    lose(update);
    update.resolved();
    EXPECT_EQ(status(lost), UpdateStatus::failed);
    const Told& done = submit_script(1, {first});
    backend.run();
    EXPECT_EQ(status(done), UpdateStatus::committed);
    const Told& spent = submit_script(1, {second});
    EXPECT_EQ(status(spent), UpdateStatus::over_budget);
    EXPECT_EQ(spent->retry_after, 30s);
    EXPECT_TRUE(backend.updates.empty());
}

TEST_F(ScriptSenderTest, WhatHasPassedItsDeadlineFailsAndIsNotSent) {
    submit_script(2, {message_for(2, address(1))});
    const Told& told = submit_script(1, {first});
    tick_after(5s - 1ns);
    EXPECT_FALSE(told.has_value());
    tick_after(1ns);
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_THAT(failures, ElementsAre("h2.dyn.example.org A: it was not done in time",
                                      "h1.dyn.example.org A: it was not done in time"));
    EXPECT_EQ(scripts.deadlines(), 0U);
    backend.answer(backend.take_update());
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ScriptSenderTest, OneThatWaitsForItsPlacesFailsInTimeToo) {
    submit(1, address(9));
    const Told& told = submit_script(1, {first});
    const Told& after = submit(1, std::string(16, 'x'), aaaa);
    now += 5s;
    scripts.tick(now);
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_FALSE(after.has_value());
    backend.run();
    EXPECT_EQ(status(after), UpdateStatus::committed) << "its place was given up";
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ScriptSenderTest, WhatItsMessagesChangeIsNotKnownAnyMore) {
    known.set(rrset(2), address(2), now);
    known.set(rrset(3), address(3), now);
    const auto about_others = message_for(2, address(1));
    submit_script(1, {about_others});
    EXPECT_FALSE(known.is_served(rrset(2), address(2), now));
    EXPECT_TRUE(known.is_served(rrset(3), address(3), now)) << "it does not name it";
    known.set(rrset(2), address(2), now);
    backend.answer(take(about_others));
    EXPECT_FALSE(known.is_served(rrset(2), address(2), now)) << "the answer may be of before";
}

TEST_F(ScriptSenderTest, AnAnswerThatAMessageMayHaveOvertakenIsNotBelieved) {
    const Told& desired = submit(2, address(2));
    const auto query = backend.take_query();
    submit_script(1, {message_for(2, address(1))});
    backend.served(host(2), a) = {address(2)};
    query.done(std::vector{address(2)});
    EXPECT_FALSE(desired.has_value());
    backend.run();
    EXPECT_EQ(status(desired), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(2), a), ElementsAre(address(2)));
}

TEST_F(ScriptSenderTest, OtherServersGetAllOfIt) {
    const Told& told = submit_script(1, {first, second});
    backend.refused = {host(1).text()};
    backend.answer(take(first));
    backend.run_searches();
    const auto update = take(second);
    ++parts.generation;
    backend.refused.clear();
    backend.answer(update);
    EXPECT_FALSE(told.has_value());
    backend.run_searches();
    backend.answer(take(first));
    backend.run_searches();
    backend.answer(take(second));
    EXPECT_EQ(status(told), UpdateStatus::committed) << "what the others refused is forgotten";
}

TEST_F(ScriptSenderTest, WhatItsMessagesHeldAndHowLongTheyTookIsTold) {
    std::vector<std::pair<std::size_t, base::Duration>> told;
    parts.on_update = [&](std::size_t changes, base::Duration took) {
        told.emplace_back(changes, took);
    };
    submit_script(1, {first});
    now += 30ms;
    backend.answer(take(first));
    EXPECT_THAT(told, ElementsAre(std::pair(std::size_t(2), base::Duration(30ms))));
}

}  // namespace
}  // namespace sftdyn::update
