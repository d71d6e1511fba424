// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/reconciler.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

class ReconcilerTest : public EnginePartsTest {
protected:
    /// The host's zone is known, and the first contact made.
    void know_zone(int number) {
        const ZoneIndex zone = batches.open_zone(backend.zones.front());
        parts.rrsets.set_zone(rrset(number).host, zone);
        backend.run_searches();
    }
    /// … and what is served.
    void know(int number, const std::string& rdata) {
        know_zone(number);
        known.set(rrset(number), rdata, now, 30);
        backend.served(host(number), a).assign(1, rdata);
    }
    bool is_known(int number, const std::string& rdata) {
        return known.is_served(rrset(number), rdata, base::TimePoint::min());
    }
    /// Spends all that the host may change.
    void exhaust(int number) {
        for (unsigned i = 0; i < parts.limits.changes_burst; ++i)
            EXPECT_FALSE(parts.rate_limiter.spend(rrset(number).host, now).has_value());
    }
    bool can_pay(int number) {
        return !parts.rate_limiter.spend(rrset(number).host, now).has_value();
    }
};

// --- one desired record

TEST_F(ReconcilerTest, TheZoneIsFoundThenWhatIsServedAskedThenTheChangeSent) {
    const Told& told = submit(1, address(1));
    EXPECT_EQ(state(rrset(1)), RrsetState::finding_zone);
    EXPECT_EQ(backend.last_deadline, now + 5s - 100ms);
    EXPECT_EQ(backend.lookups, 0U);
    backend.hold_contacts = true;
    backend.run_searches();
    EXPECT_EQ(state(rrset(1)), RrsetState::blocked) << "the first contact is not made";
    backend.make_contact();
    backend.run_searches();
    EXPECT_EQ(state(rrset(1)), RrsetState::asking);
    EXPECT_EQ(backend.last_deadline, now + 5s - 100ms);
    backend.run_queries();
    EXPECT_EQ(state(rrset(1)), RrsetState::in_flight);
    EXPECT_FALSE(told.has_value());
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::committed);
    EXPECT_EQ(parts.rrsets.size(), 0U);
    EXPECT_TRUE(is_known(1, address(1)));
}

TEST_F(ReconcilerTest, WhatIsKnownIsNotAskedWhileItIsBelieved) {
    know(1, address(1));
    known.set(rrset(1), address(1), now - 300s + 1ns, 30);
    EXPECT_EQ(status(submit(1, address(1))), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, 0U);
    known.set(rrset(1), address(1), now - 300s, 30);
    const Told& again = submit(1, address(1));
    EXPECT_FALSE(again.has_value());
    backend.run_queries();
    EXPECT_EQ(status(again), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, 1U);
    EXPECT_TRUE(known.is_served(rrset(1), address(1), now)) << "it was confirmed";
}

TEST_F(ReconcilerTest, WhereNothingIsBelievedEachDesiredRecordIsAskedFor) {
    parts.limits.freshness = 0s;
    know_zone(1);
    backend.served(host(1), a) = {address(1)};
    const Told& first = submit(1, address(1));
    const Told& second = submit(1, address(1));
    backend.answer(backend.take_query());
    EXPECT_EQ(status(first), UpdateStatus::unchanged);
    EXPECT_FALSE(second.has_value()) << "it was not asked on its behalf";
    backend.served(host(1), a).clear();
    backend.run();
    EXPECT_EQ(status(second), UpdateStatus::committed);
}

TEST_F(ReconcilerTest, AQueryThatWasSentBeforeADesiredRecordCameDoesNotVerifyIt) {
    parts.limits.freshness = 0s;
    know_zone(1);
    backend.served(host(1), a) = {address(1)};
    const Told& late = submit(1, address(1));
    auto query = backend.take_query();
    query.read = backend.read(query);
    backend.served(host(1), a).clear();
    now += 4s;
    const Told& told = submit(1, address(1));
    tick_after(1s);
    EXPECT_EQ(status(late), UpdateStatus::failed);
    backend.answer(query);
    EXPECT_FALSE(told.has_value());
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(ReconcilerTest, AnAnswerThatFailsFailsItAndOnlyARefusalForgetsTheZone) {
    know_zone(1);
    const Told& silent = submit(1, address(1));
    backend.take_query().done(FakeBackend::failure(dns::ErrorKind::timeout));
    EXPECT_EQ(status(silent), UpdateStatus::failed);
    EXPECT_NE(parts.zones.of(rrset(1).host), unresolved_zone);
    const Told& refused = submit(1, address(1));
    backend.take_query().done(dns::rcode_failure(5, "fake", "it"));
    EXPECT_EQ(status(refused), UpdateStatus::failed);
    EXPECT_EQ(parts.zones.of(rrset(1).host), unresolved_zone) << "it may have moved";
    EXPECT_EQ(parts.queries.in_flight(), 0U);
}

TEST_F(ReconcilerTest, AnAnswerThatSomethingHasOvertakenIsAskedForAgain) {
    know_zone(1);
    backend.served(host(1), a) = {address(1)};
    const Told& told = submit(1, address(1));
    const auto query = backend.take_query();
    parts.rrsets.at(rrset(1)).invalidate();
    backend.answer(query);
    EXPECT_FALSE(told.has_value());
    ASSERT_EQ(backend.queries.size(), 1U);
    backend.answer(backend.take_query());
    EXPECT_EQ(status(told), UpdateStatus::unchanged);
}

TEST_F(ReconcilerTest, QueriesAreLimitedAndWhatWaitsFollows) {
    parts.queries.set_limit(2);
    for (int number = 1; number <= 5; ++number) {
        know_zone(number);
        submit(number, address(1));
    }
    EXPECT_EQ(backend.queries.size(), 2U);
    backend.take_query().done(FakeBackend::failure(dns::ErrorKind::timeout));
    EXPECT_EQ(backend.queries.size(), 2U);
    EXPECT_EQ(backend.queries.back().name, host(3));
    backend.run();
    EXPECT_EQ(backend.most_queries, 2U);
    EXPECT_EQ(parts.queries.waiting(), 0U);
}

TEST_F(ReconcilerTest, WhoIsToldMaySubmitAgain) {
    know(1, address(1));
    std::vector<int> order;
    reconciler.submit(record(1, address(1)), [&](UpdateOutcome) {
        reconciler.submit(record(1, address(1)), [&](UpdateOutcome) { order.push_back(2); });
        EXPECT_TRUE(order.empty()) << "not from within";
        order.push_back(1);
    });
    EXPECT_THAT(order, ElementsAre(1, 2));
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ReconcilerTest, WhatIsAlreadyAtWorkIsNotBegunAgain) {
    know_zone(1);
    submit(1, address(1));
    submit(1, address(2));
    reconciler.begin(rrset(1));
    EXPECT_EQ(state(rrset(1)), RrsetState::asking);
    EXPECT_EQ(backend.queries.size(), 1U);
}

TEST_F(ReconcilerTest, DesiredRecordsOfAnRRsetAreServedInTheirOrder) {
    const Told& first = submit(1, address(1));
    const Told& second = submit(1, address(2));
    backend.run_queries();
    EXPECT_THAT(backend.next_update().changes.at(0).rdata, address(1));
    backend.answer(backend.take_update());
    EXPECT_EQ(status(first), UpdateStatus::committed);
    EXPECT_FALSE(second.has_value());
    EXPECT_EQ(backend.lookups, 1U) << "what was committed is known";
    backend.run();
    EXPECT_EQ(status(second), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), a), ElementsAre(address(2)));
}

// --- full queues, budgets

TEST_F(ReconcilerTest, AZoneTakesSoManyAndSaysSoAtOnce) {
    parts.limits.queue = 2;
    know_zone(1);
    know_zone(2);
    submit(1, address(1));
    submit(1, address(2));
    const Told& full = submit(2, address(1));
    EXPECT_EQ(status(full), UpdateStatus::overloaded);
    EXPECT_EQ(full->retry_after, 5s);
    const Told& elsewhere = submit(3, address(1));
    EXPECT_FALSE(elsewhere.has_value()) << "its zone is not known to be that one";
    const auto& group = submit_group({record(3, address(2)), record(2, address(2))});
    EXPECT_THAT(statuses(group), ElementsAre(UpdateStatus::overloaded, UpdateStatus::overloaded));
    EXPECT_EQ(group.at(0).retry_after, 5s);
    EXPECT_EQ(parts.rrsets.waiting(), 3U);
}

TEST_F(ReconcilerTest, AHostThatHasSpentItsBudgetIsToldWhenToComeAgain) {
    know(1, address(1));
    exhaust(1);
    now += 200ms;
    const Told& told = submit(1, address(2));
    EXPECT_EQ(status(told), UpdateStatus::over_budget);
    EXPECT_EQ(told->retry_after, 30s) << "whole seconds, rounded up";
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_EQ(status(submit(1, address(1))), UpdateStatus::unchanged) << "which costs nothing";
    DesiredRecord free_of_charge = record(1, address(2));
    free_of_charge.unmetered = true;
    const Told& unmetered = submit(free_of_charge);
    backend.run();
    EXPECT_EQ(status(unmetered), UpdateStatus::committed);
}

TEST_F(ReconcilerTest, OnlyAChangeThatHasComeAboutIsPaidFor) {
    parts.rate_limiter.set({{1, 30s}, {}});
    know(1, address(1));
    const Told& lost = submit(1, address(2));
    const auto update = backend.take_update();
    lose(update);
    update.resolved();
    EXPECT_EQ(status(lost), UpdateStatus::failed);
    const Told& done = submit(1, address(2));
    backend.run();
    EXPECT_EQ(status(done), UpdateStatus::committed);
    EXPECT_FALSE(can_pay(1));
}

TEST_F(ReconcilerTest, AChangeThatWasNotSentIsNotPaidForAndWhatWasServedNotBelieved) {
    parts.rate_limiter.set({{1, 30s}, {}});
    know(1, address(1));
    submit(2, address(1));
    backend.run_queries();  // it is sent, and the zone is busy
    submit(1, address(2));
    EXPECT_EQ(state(rrset(1)), RrsetState::queued);
    reconciler.dropped(rrset(1));
    EXPECT_FALSE(parts.rrsets.at(rrset(1)).served().has_value());
    EXPECT_TRUE(can_pay(1));
}

// --- deadlines

TEST_F(ReconcilerTest, WhatIsAnsweredLeavesNoDeadlineBehind) {
    know(1, address(1));
    submit(1, address(1));
    EXPECT_EQ(parts.rrsets.deadlines(), 0U);
    submit(1, address(2));
    submit(1, address(2));
    EXPECT_EQ(parts.rrsets.deadlines(), 2U);
}

// --- the outcome of a change

TEST_F(ReconcilerTest, WhatWasCommittedIsKnown) {
    know(1, address(1));
    submit(1, address(2));
    backend.run();
    EXPECT_TRUE(is_known(1, address(2)));
    submit(1, "");
    backend.run();
    EXPECT_TRUE(is_known(1, ""));
    know(1, address(1));
    DesiredRecord desired = record(1, address(1));
    desired.kind = dns::ChangeKind::remove_record;
    EXPECT_FALSE(submit(desired).has_value());
    backend.run();
    EXPECT_FALSE(is_known(1, "") || is_known(1, address(1))) << "others may be left";
}

TEST_F(ReconcilerTest, ARefusalQuarantinesUntilAChangeSucceeds) {
    know(1, address(1));
    submit(1, address(2));
    const auto update = backend.take_update();
    lose(update);
    update.resolved();
    EXPECT_FALSE(reconciler.is_quarantined(rrset(1))) << "silence is no refusal";
    EXPECT_NE(parts.zones.of(rrset(1).host), unresolved_zone);
    EXPECT_FALSE(is_known(1, address(1))) << "it may have been done";

    backend.refused = {host(1).text()};
    submit(1, address(2));
    backend.run();
    EXPECT_TRUE(reconciler.is_quarantined(rrset(1)));
    EXPECT_EQ(parts.zones.of(rrset(1).host), unresolved_zone);

    backend.refused.clear();
    submit(1, address(2));
    backend.run();
    EXPECT_FALSE(reconciler.is_quarantined(rrset(1)));
}

TEST_F(ReconcilerTest, WhatIsGivenUpWhileItIsSentIsToldNothingMore) {
    know(1, address(1));
    const Told& told = submit(1, address(2));
    const auto update = backend.take_update();
    tick_after(5s);
    EXPECT_EQ(status(told), UpdateStatus::failed);
    backend.answer(update);
    EXPECT_TRUE(is_known(1, address(2)));
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ReconcilerTest, WithOtherServersItIsDecidedAnew) {
    know(1, address(1));
    const Told& told = submit(1, address(2));
    EXPECT_EQ(state(rrset(1)), RrsetState::in_flight);
    reconciler.start_over(rrset(1));
    EXPECT_EQ(state(rrset(1)), RrsetState::asking) << "what was known holds no more";
    EXPECT_FALSE(told.has_value());
    reconciler.start_over(rrset(9));  // which is at nothing
}

TEST_F(ReconcilerTest, ServersThatChangeLeaveNothingKnownNorDecided) {
    backend.refused = {host(2).text()};
    submit(2, address(1));
    backend.run();
    EXPECT_TRUE(reconciler.is_quarantined(rrset(2)));
    know(1, address(1));
    submit(1, address(2));
    reconciler.forget_servers();
    EXPECT_FALSE(reconciler.is_quarantined(rrset(2)));
    EXPECT_FALSE(parts.rrsets.at(rrset(1)).served().has_value());
    EXPECT_TRUE(parts.rrsets.at(rrset(1)).decision().undone);
}

TEST_F(ReconcilerTest, AnAnswerOfAnEarlierConfigurationIsNotUsed) {
    const Told& first = submit(1, address(1));
    ++parts.generation;
    backend.run_searches();
    EXPECT_EQ(backend.searches, 2U) << "the zone is looked for again";
    backend.served(host(1), a) = {address(1)};
    const auto query = backend.take_query();
    ++parts.generation;
    backend.answer(query);
    EXPECT_FALSE(first.has_value());
    EXPECT_EQ(backend.lookups, 2U);
    backend.run();
    EXPECT_EQ(status(first), UpdateStatus::unchanged);
}

// --- groups

TEST_F(ReconcilerTest, OfAGroupAllAreAwaitedAndGoOutTogether) {
    const auto& told = submit_group({record(1, address(1)), record(1, std::string(16, 'x'), aaaa)});
    backend.run_searches();
    backend.answer(backend.take_query());
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_EQ(state(rrset(1)), RrsetState::ready);
    backend.answer(backend.take_query());
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_EQ(backend.next_update().changes.size(), 2U);
    backend.run();
    EXPECT_THAT(statuses(told), Each(UpdateStatus::committed));
}

TEST_F(ReconcilerTest, WhatIsRightAlreadyGoesAlongUnlessAllOfItsZoneIs) {
    backend.zones.push_back(dns::Name::parse("other.example.org").value());
    know(1, address(1));
    const auto& along = submit_group({record(1, address(1)), record(2, address(2))});
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_THAT(owners(backend.next_update()),
                ElementsAre("h1.dyn.example.org", "h2.dyn.example.org"));
    EXPECT_TRUE(along.empty());
    backend.run();
    EXPECT_THAT(statuses(along), ElementsAre(UpdateStatus::unchanged, UpdateStatus::committed));

    DesiredRecord elsewhere = record(3, address(3));
    elsewhere.rrset.host = hosts.number(host(3, "other.example.org"));
    const auto& apart = submit_group({record(1, address(1)), elsewhere});
    backend.run_queries();
    ASSERT_EQ(backend.updates.size(), 1U);
    EXPECT_THAT(owners(backend.next_update()), ElementsAre("h3.other.example.org"));
    backend.run();
    EXPECT_THAT(statuses(apart), ElementsAre(UpdateStatus::unchanged, UpdateStatus::committed));
}

TEST_F(ReconcilerTest, AGroupCostsEachHostOneChangeAndNothingWhenOneCantPay) {
    parts.rate_limiter.set({{1, 30s}, {}});
    for (const int number : {1, 2, 3}) know(number, address(9));
    EXPECT_TRUE(can_pay(3));
    const auto& poor = submit_group({record(1, address(1)), record(3, address(1))});
    EXPECT_THAT(statuses(poor), Each(UpdateStatus::over_budget));
    EXPECT_EQ(poor.at(0).retry_after, 30s);
    EXPECT_TRUE(backend.updates.empty());
    const auto& rich = submit_group(
        {record(1, address(1)), record(1, std::string(16, 'x'), aaaa), record(2, address(1))});
    backend.run();
    EXPECT_THAT(statuses(rich), Each(UpdateStatus::committed));
    EXPECT_FALSE(can_pay(1));
    EXPECT_FALSE(can_pay(2));
}

TEST_F(ReconcilerTest, OneThatIsTooLateTakesItsGroupWithIt) {
    const auto& told = submit_group({record(1, address(1)), record(2, address(1))});
    backend.run_searches();
    backend.answer(backend.take_query());
    EXPECT_EQ(state(rrset(1)), RrsetState::ready);
    now += 1s;
    const Told& behind = submit(1, address(2));
    const Told& behind_other = submit(2, address(2));
    tick_after(4s);
    EXPECT_THAT(statuses(told), ElementsAre(UpdateStatus::failed, UpdateStatus::failed));
    EXPECT_EQ(failures.size(), 1U) << "told once for all of them";
    EXPECT_EQ(backend.next_update().changes.at(0).rdata, address(2)) << "what waited goes on";
    backend.run();
    EXPECT_EQ(status(behind), UpdateStatus::committed);
    EXPECT_EQ(status(behind_other), UpdateStatus::committed);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(ReconcilerTest, OneThatFailsTakesItsGroupWithItAndFreesTheOthers) {
    const auto& told = submit_group({record(1, address(1)), record(2, address(1))});
    const Told& behind = submit(1, address(2));
    backend.run_searches();
    backend.answer(backend.take_query());
    reconciler.fail_all(rrset(2), FakeBackend::failure(dns::ErrorKind::timeout));
    EXPECT_THAT(statuses(told), Each(UpdateStatus::failed));
    EXPECT_THAT(failures, ElementsAre("h2.dyn.example.org A: as the test says"));
    EXPECT_FALSE(behind.has_value());
    backend.answer(backend.take_update());
    EXPECT_EQ(status(behind), UpdateStatus::committed);
}

TEST_F(ReconcilerTest, WhatBecomesUnknownWhileTheOthersAreAwaitedIsAskedAgain) {
    const auto& told = submit_group({record(1, address(1)), record(2, address(1))});
    backend.run_searches();
    backend.answer(backend.take_query());
    EXPECT_EQ(state(rrset(1)), RrsetState::ready);
    parts.rrsets.at(rrset(1)).forget_served();
    backend.answer(backend.take_query());
    EXPECT_TRUE(backend.updates.empty());
    EXPECT_EQ(state(rrset(1)), RrsetState::asking);
    backend.run();
    EXPECT_THAT(statuses(told), Each(UpdateStatus::committed));
}

}  // namespace
}  // namespace sftdyn::update
