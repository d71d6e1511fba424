// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/serial_reader.hpp"

#include <gmock/gmock.h>

#include "update/engine_parts_test.hpp"

using namespace std::chrono_literals;
using testing::Each;

namespace sftdyn::update {
namespace {

class SerialReaderTest : public EnginePartsTest {
protected:
    SerialReaderTest() {
        parts.limits.follow_serial = true;
        parts.limits.freshness = 1s;
    }
    /// The hosts 1 to `count` are served, and have checked in.
    void check_in(int count) {
        for (int i = 1; i <= count; ++i) {
            backend.served(host(i), a) = {address(i)};
            submit(i, address(i));
            backend.run();
        }
        forget_counts();
    }
    void forget_counts() { backend.lookups = backend.serial_readings = 0; }
    Told& ask(int number) { return submit(number, address(number)); }
    /// As the HTTP threads do.
    bool is_told_at_once(int number) {
        return known.is_served(rrset(number), address(number), now - parts.limits.freshness, 30);
    }
    void foreign_edit(int number) { backend.edit(host(number), a, {address(99)}); }
};

TEST_F(SerialReaderTest, TheSerialIsReadBeforeTheFirstRecordOfAZone) {
    backend.served(host(1), a) = {address(1)};
    const Told& told = ask(1);
    backend.run_searches();
    EXPECT_EQ(state(rrset(1)), RrsetState::confirming);
    EXPECT_EQ(backend.lookups, 0U);
    EXPECT_EQ(backend.last_deadline, now + 1250ms);
    backend.answer(backend.take_serial_query());
    EXPECT_EQ(state(rrset(1)), RrsetState::asking);
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::unchanged);
    EXPECT_EQ(backend.serial_readings, 1U);
}

TEST_F(SerialReaderTest, ManyThatCheckInMakeOneQuery) {
    check_in(50);
    now += 2s;
    std::vector<Told*> told;
    for (int i = 1; i <= 50; ++i) {
        EXPECT_FALSE(is_told_at_once(i));
        told.push_back(&ask(i));
    }
    EXPECT_EQ(backend.serial_readings, 1U);
    backend.run();
    for (const Told* one : told) EXPECT_EQ(status(*one), UpdateStatus::unchanged);
    EXPECT_EQ(backend.serial_readings, 1U);
    EXPECT_EQ(backend.lookups, 0U);
    now += 1s - 16ms;  // the time of the confirmation is rounded down
    for (int i = 1; i <= 50; ++i) EXPECT_TRUE(is_told_at_once(i)) << "confirmed with the others";
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

TEST_F(SerialReaderTest, WithoutRequestsNothingIsAsked) {
    check_in(2);
    for (int i = 0; i < 100; ++i) tick_after(10s);
    backend.run();
    EXPECT_EQ(backend.serial_readings, 0U);
    EXPECT_EQ(backend.lookups, 0U);
}

TEST_F(SerialReaderTest, AForeignChangeMakesEachHostAskedAgain) {
    check_in(3);
    foreign_edit(2);
    now += 2s;
    std::vector<Told*> told;
    for (int i = 1; i <= 3; ++i) told.push_back(&ask(i));
    backend.run();
    EXPECT_EQ(backend.serial_readings, 1U);
    EXPECT_EQ(backend.lookups, 3U);
    EXPECT_EQ(status(*told[0]), UpdateStatus::unchanged);
    EXPECT_EQ(status(*told[1]), UpdateStatus::committed);
    EXPECT_EQ(status(*told[2]), UpdateStatus::unchanged);
    EXPECT_EQ(backend.served(host(2), a), std::vector{address(2)});
}

TEST_F(SerialReaderTest, AChangeOfOursMakesTheOthersAskedAgain) {
    check_in(3);
    submit(1, address(9));
    backend.edit_beside_update(host(2), a, {address(99)});  // the server gives both one serial
    backend.run();
    now += 2s;
    const Told& told = ask(2);
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(SerialReaderTest, AChangeOfOursThatIsRefusedCostsNoQueries) {
    check_in(3);
    backend.refused = {host(1).text()};
    submit(1, address(9));
    backend.run();
    forget_counts();
    now += 2s;
    ask(2);
    ask(3);
    backend.run();
    EXPECT_EQ(backend.serial_readings, 1U);
    EXPECT_EQ(backend.lookups, 0U);
}

TEST_F(SerialReaderTest, WithoutFreshnessTheQueryIsSentAfterTheRequest) {
    parts.limits.freshness = 0s;
    check_in(2);
    now += 1ns;
    const Told& first = ask(1);
    now += 1ns;
    const Told& second = ask(2);  // the query under way was sent before
    ASSERT_EQ(backend.serial_queries.size(), 1U);
    auto query = backend.take_serial_query();
    query.read = backend.read(query);
    foreign_edit(2);
    backend.answer(query);
    EXPECT_EQ(status(first), UpdateStatus::unchanged);
    EXPECT_FALSE(second.has_value());
    ASSERT_EQ(backend.serial_queries.size(), 1U) << "one for all that came meanwhile";
    backend.run();
    EXPECT_EQ(status(second), UpdateStatus::committed);
}

TEST_F(SerialReaderTest, AQueryThatWasSentRecentlyEnoughServesLaterRequestsToo) {
    check_in(2);
    now += 2s;
    const Told& first = ask(1);
    now += 500ms;
    const Told& second = ask(2);
    EXPECT_EQ(backend.serial_queries.size(), 1U);
    backend.answer(backend.take_serial_query());
    EXPECT_EQ(status(first), UpdateStatus::unchanged);
    EXPECT_EQ(status(second), UpdateStatus::unchanged);
    EXPECT_EQ(backend.serial_readings, 1U);
}

TEST_F(SerialReaderTest, WhereTheSerialIsNotToldTheRecordsAreAskedFor) {
    check_in(3);
    now += 2s;
    const Told& first = ask(1);
    backend.take_serial_query().done(FakeBackend::failure(dns::ErrorKind::timeout));
    backend.run();
    EXPECT_EQ(status(first), UpdateStatus::unchanged);
    EXPECT_EQ(backend.lookups, 1U);
    EXPECT_EQ(backend.serial_readings, 1U);
    ask(2);
    backend.run();
    EXPECT_EQ(backend.lookups, 2U);
    EXPECT_EQ(backend.serial_readings, 1U) << "not tried again at once";
    now += 11s;
    ask(3);
    backend.run();
    EXPECT_EQ(backend.serial_readings, 2U);
    EXPECT_EQ(backend.lookups, 2U);
}

TEST_F(SerialReaderTest, AnUpdateThatIsSentMeanwhileMakesTheRecordAskedFor) {
    check_in(2);
    now += 2s;
    const Told& told = ask(2);
    ASSERT_EQ(backend.serial_queries.size(), 1U);
    auto query = backend.take_serial_query();
    query.read = backend.read(query);
    known.set(rrset(1), address(1), now, 30);
    submit(1, address(9));
    ASSERT_EQ(backend.updates.size(), 1U);
    foreign_edit(2);
    backend.answer(query);
    EXPECT_FALSE(told.has_value());
    EXPECT_EQ(state(rrset(2)), RrsetState::asking);
    backend.run();
    EXPECT_EQ(status(told), UpdateStatus::committed);
}

TEST_F(SerialReaderTest, WhatAnotherAddressServesIsNotConfirmed) {
    check_in(1);
    backend.served(host(2), a) = {address(2)};
    backend.source = 2;
    ask(2);
    backend.run();
    forget_counts();
    backend.source = 1;
    now += 2s;
    ask(2);
    backend.run();
    EXPECT_EQ(backend.lookups, 1U);
}

TEST_F(SerialReaderTest, ARecordIsAskedForItselfAfterAWhile) {
    check_in(1);
    unsigned asked = 0;
    for (int i = 0; i < 10; ++i) {
        now += 1min;
        ask(1);
        backend.run();
        asked = backend.lookups;
    }
    EXPECT_EQ(asked, 1U);
    EXPECT_EQ(backend.serial_readings, 9U);
}

TEST_F(SerialReaderTest, AServerWithoutQueriesIsBelievedForAWhile) {
    backend.is_answering = false;
    const ZoneIndex zone = batches.open_zone(backend.zones.front());
    parts.rrsets.set_zone(rrset(1).host, zone);
    backend.run_searches();
    known.set(rrset(1), address(1), now, 30);
    now += ServedCache::longest_belief - 1ns;
    EXPECT_EQ(status(ask(1)), UpdateStatus::unchanged);
    EXPECT_EQ(backend.serial_readings, 0U);
}

TEST_F(SerialReaderTest, WhoIsTooLateDoesNotKeepTheOthersFromGoingOn) {
    check_in(1);
    now += 2s;
    const Told& late = ask(1);
    const Told& next = ask(1);
    reconciler.tick(base::TimePoint::max());
    EXPECT_EQ(status(late), UpdateStatus::failed);
    EXPECT_EQ(status(next), UpdateStatus::failed);
    const Told& last = ask(1);
    EXPECT_FALSE(last.has_value());
    backend.run();
    EXPECT_EQ(status(last), UpdateStatus::unchanged);
    EXPECT_EQ(parts.rrsets.size(), 0U);
}

}  // namespace
}  // namespace sftdyn::update
