// SPDX-License-Identifier: GPL-3.0-or-later
// What the server has confirmed is asked for before anybody is told.
#include "update/read_back.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

namespace sftdyn::update {
namespace {

class ReadBackTest : public EnginePartsTest {
protected:
    ReadBackTest() {
        parts.limits.read_back = true;
        parts.limits.changes_burst = 0;
        zone = batches.open_zone(backend.zones.front());
        backend.run_searches();
        for (int number = 1; number <= 3; ++number) {
            parts.rrsets.set_zone(rrset(number).host, zone);
            for (const dns::Type type : {a, aaaa})
                known.set(rrset(number, type), std::string(), now, 30);
        }
    }
    /// The change is confirmed.
    void confirm() { backend.answer(backend.take_update()); }
    /// As a child zone does.
    void hide(int number) { backend.hidden.insert(host(number).text()); }
    static std::string address6(int number) {
        return std::string(15, '\0') + static_cast<char>(number);
    }

    ZoneIndex zone{};
};

TEST_F(ReadBackTest, TheFirstChangeOfAHostIsSeenBeforeItIsTold) {
    const Told& told = submit(1, address(1));
    confirm();
    EXPECT_FALSE(told.has_value());
    EXPECT_EQ(state(rrset(1)), RrsetState::reading_back);
    backend.answer(backend.take_query());
    EXPECT_EQ(status(told), UpdateStatus::committed);
    EXPECT_TRUE(known.is_served(rrset(1), address(1), now, 30));
    // Then one in an hour.
    for (const auto& [passed, queries] : {std::pair(3599s, 0U), std::pair(1s, 1U)}) {
        now += passed;
        known.set(rrset(1), address(1), now, 30);
        const Told& next = submit(1, address(2));
        confirm();
        EXPECT_EQ(backend.queries.size(), queries);
        backend.run_queries();
        EXPECT_EQ(status(next), UpdateStatus::committed);
        known.set(rrset(1), address(1), now, 30);
    }
}

TEST_F(ReadBackTest, WhatIsNotSeenIsAskedForUntilTheTimeIsUp) {
    hide(1);
    const Told& told = submit(1, address(1));
    confirm();
    unsigned asked = 0;
    for (int step = 0; step < 1000 && !told.has_value(); ++step) {
        for (; !backend.queries.empty(); ++asked) backend.answer(backend.take_query());
        tick_after(20ms);
    }
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_EQ(asked, 6U) << "after 0.1, 0.2, 0.4, 0.8 and 1.6 s";
    EXPECT_THAT(failures, ElementsAre(HasSubstr("has confirmed the change, and serves nothing")));
    EXPECT_FALSE(known.is_served(rrset(1), std::string(), now - 1h));
    EXPECT_EQ(parts.zones.of(rrset(1).host), unresolved_zone);
    EXPECT_FALSE(reconciler.awaits_tick());
}

TEST_F(ReadBackTest, ACopyOfTheZoneMayLagBehind) {
    hide(1);
    const Told& told = submit(1, address(1));
    confirm();
    backend.answer(backend.take_query());
    EXPECT_FALSE(told.has_value());
    EXPECT_TRUE(reconciler.awaits_tick());
    backend.served(host(1), a) = {address(1)};
    tick_after(99ms);
    EXPECT_TRUE(backend.queries.empty());
    tick_after(1ms);
    backend.answer(backend.take_query());
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(ReadBackTest, AQueryThatFailsIsAFailure) {
    const Told& told = submit(1, address(1));
    confirm();
    backend.take_query().done(FakeBackend::failure(dns::ErrorKind::no_zone));
    EXPECT_EQ(status(told), UpdateStatus::failed);
    EXPECT_EQ(parts.zones.of(rrset(1).host), unresolved_zone);
}

TEST_F(ReadBackTest, WhatCannotBeAskedForIsTold) {
    const Told& told = submit(1, address(1));
    confirm();
    backend.take_query().done(ServedRecords{.is_known = false});
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(ReadBackTest, TheTtlIsTheServersAffair) {
    const Told& told = submit(1, address(1));
    confirm();
    backend.take_query().done(ServedRecords{.rdata = {address(1)}, .ttl = 5});
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(ReadBackTest, ARemovalIsSeenToo) {
    known.set(rrset(1), address(1), now, 30);
    const Told& told = submit(1, std::string());
    confirm();
    backend.answer(backend.take_query());
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(ReadBackTest, AGroupIsToldWhenAllOfItIsSeen) {
    const auto& told = submit_group({record(1, address(1)), record(2, address(2))});
    const Told& later = submit(1, address(3));
    confirm();
    backend.answer(backend.take_query());
    EXPECT_TRUE(told.empty());
    EXPECT_TRUE(backend.updates.empty()) << "what comes after it waits";
    backend.answer(backend.take_query());
    EXPECT_THAT(statuses(told), ElementsAre(UpdateStatus::committed, UpdateStatus::committed));
    confirm();
    EXPECT_EQ(status(later), UpdateStatus::committed);
}

TEST_F(ReadBackTest, AGroupFailsWithOneOfItsRecords) {
    hide(2);
    const auto& told =
        submit_group({record(1, address(1)), record(1, address6(1), aaaa), record(2, address(2))});
    confirm();
    for (int step = 0; step < 1000 && told.empty(); ++step) {
        backend.run_queries();
        tick_after(20ms);
    }
    EXPECT_THAT(statuses(told), testing::Each(UpdateStatus::failed));
}

TEST_F(ReadBackTest, WhoIsGoneIsNotToldAndTheRrsetGoesOn) {
    hide(1);
    const Told& gone = submit(1, address(1));
    confirm();
    tick_after(5s);
    EXPECT_EQ(status(gone), UpdateStatus::failed);
    const Told& next = submit(1, address(2));
    EXPECT_FALSE(next.has_value()) << "the answer is still awaited";
    backend.run_queries();
    backend.hidden.clear();
    backend.run();
    EXPECT_EQ(status(next), UpdateStatus::committed);
}

TEST_F(ReadBackTest, WhatIsConfirmedWhenNobodyWaitsIsNotBelieved) {
    hide(1);
    submit(1, address(1));
    tick_after(5s);
    confirm();
    EXPECT_TRUE(backend.queries.empty());
    const Told& next = submit(1, address(1));
    EXPECT_FALSE(next.has_value()) << "what is served is asked for";
    EXPECT_EQ(backend.queries.size(), 1U);
}

TEST_F(ReadBackTest, AScriptThatChangesItMeanwhileHasItDecidedAnew) {
    const Told& told = submit(1, address(1));
    confirm();
    const auto query = backend.take_query();
    submit_script(2, {message_for(1, address(9))});
    backend.run_queries();
    backend.answer(backend.take_update());
    query.done(ServedRecords{.rdata = {address(1)}, .ttl = 30});  // of before
    EXPECT_FALSE(told.has_value());
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::committed);
    EXPECT_THAT(backend.served(host(1), a), ElementsAre(address(1)));
}

TEST_F(ReadBackTest, SoItIsWhenOneOfAGroupWasSeenAlready) {
    const auto& told = submit_group({record(1, address(1)), record(2, address(2))});
    confirm();
    backend.answer(backend.take_query());
    const auto query = backend.take_query();
    submit_script(3, {message_for(1, address(9))});
    backend.run_queries();
    backend.answer(backend.take_update());
    query.done(ServedRecords{.rdata = {address(2)}, .ttl = 30});
    EXPECT_TRUE(told.empty());
    backend.run();
    EXPECT_THAT(statuses(told), ElementsAre(UpdateStatus::committed, UpdateStatus::unchanged));
    EXPECT_THAT(backend.served(host(1), a), ElementsAre(address(1)));
}

TEST_F(ReadBackTest, WhatGoesAlongAndChangesNothingIsNoProof) {
    hide(2);
    const auto& told = submit_group({record(1, address(1)), record(2, std::string())});
    confirm();
    backend.run();
    EXPECT_THAT(statuses(told), ElementsAre(UpdateStatus::committed, UpdateStatus::unchanged));
    submit(2, address(2));
    confirm();
    EXPECT_EQ(state(rrset(2)), RrsetState::reading_back);
}

TEST_F(ReadBackTest, PointersAndScriptsAreNotReadBack) {
    DesiredRecord pointer;
    pointer.rrset = {hosts.number(dns::Name::parse("1.0.0.127.in-addr.arpa").value()), ptr};
    pointer.rdata = std::string(host(1).bytes());
    parts.rrsets.set_zone(pointer.rrset.host, zone);
    known.set(pointer.rrset, "x", now, 0);
    const Told& told = submit(pointer);
    confirm();
    EXPECT_EQ(status(told), UpdateStatus::committed);
    const Told& script = submit_script(1, {message_for(1, address(1))});
    confirm();
    EXPECT_EQ(status(script), UpdateStatus::committed);
    EXPECT_TRUE(backend.queries.empty());
}

TEST_F(ReadBackTest, AnAnswerThatComesFromAnotherZoneHasItLookedForAtOnceAndOnce) {
    known.forget(rrset(1));
    const Told& told = submit(1, address(1));
    backend.take_query().done(FakeBackend::failure(dns::ErrorKind::no_zone));
    EXPECT_FALSE(told.has_value());
    EXPECT_EQ(state(rrset(1)), RrsetState::finding_zone);
    backend.run_searches();
    backend.take_query().done(FakeBackend::failure(dns::ErrorKind::no_zone));
    EXPECT_EQ(status(told), UpdateStatus::failed) << "else it would go on for ever";
}

}  // namespace
}  // namespace sftdyn::update
