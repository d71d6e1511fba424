// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/host_history.hpp"

#include <gmock/gmock.h>

namespace sftdyn::telemetry {
namespace {

using boost::asio::ip::make_address;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class HistoryTest : public testing::Test {
protected:
    HistoryTest() {
        history.on_event([this](const HistoryEvent& event) { events.push_back(event); });
    }
    HostRecord record(const update::RrsetKey& target) {
        for (const auto& [found, record] : history.all()) {
            if (found == target) return record;
        }
        return {};
    }

    History history;
    std::vector<HistoryEvent> events;
    update::RrsetKey v4{7, dns::Type::a}, v6{7, dns::Type::aaaa}, other{8, dns::Type::a};
};

TEST_F(HistoryTest, CheckInsAreNoted) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 200);
    EXPECT_EQ(record(v4).checked_in, 200);
    EXPECT_EQ(record(v4).changed, 100);
    EXPECT_EQ(record(v4).address, make_address("192.0.2.1"));
    EXPECT_EQ(record(v4).outcome, RequestOutcome::uptodate);
    EXPECT_TRUE(history.knows(7));
    EXPECT_FALSE(history.knows(8));
}

TEST_F(HistoryTest, WhatWasNotConfirmedIsNoAddress) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v4, make_address("192.0.2.2"), RequestOutcome::fail, 200);
    EXPECT_EQ(record(v4).address, make_address("192.0.2.1"));
    EXPECT_EQ(record(v4).checked_in, 200);
    EXPECT_EQ(record(v4).outcome, RequestOutcome::fail);
}

TEST_F(HistoryTest, ChangesAreToldWithTheAddressBefore) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 150);
    history.note(v4, make_address("192.0.2.2"), RequestOutcome::ok, 200);
    history.note(v6, make_address("2001:db8::1"), RequestOutcome::ok, 200);
    ASSERT_THAT(events, SizeIs(3));
    EXPECT_TRUE(events[0].before.is_unspecified());
    EXPECT_EQ(events[1].before, make_address("192.0.2.1"));
    EXPECT_EQ(events[1].now.address, make_address("192.0.2.2"));
    EXPECT_EQ(events[2].rrset, v6);
}

TEST_F(HistoryTest, TheFirstOfSeveralFailuresIsTold) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    events.clear();
    for (int time = 200; time < 203; ++time)
        history.note(v4, make_address("192.0.2.2"), RequestOutcome::fail, time);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, HistoryEventKind::failure);
    EXPECT_EQ(events[0].before, make_address("192.0.2.1"));
    EXPECT_EQ(events[0].now.address, make_address("192.0.2.2")) << "that was asked for";
    EXPECT_EQ(events[0].now.checked_in, 200);
    EXPECT_EQ(record(v4).address, make_address("192.0.2.1")) << "it still has";
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 300);
    history.note(v4, make_address("192.0.2.2"), RequestOutcome::fail, 400);
    EXPECT_THAT(events, SizeIs(2)) << "after one that did not fail";
    history.note(other, make_address("192.0.2.3"), RequestOutcome::fail, 400);
    ASSERT_THAT(events, SizeIs(3)) << "nor had this one failed before";
    EXPECT_TRUE(events[2].before.is_unspecified());
}

TEST_F(HistoryTest, StaleHostsAreToldOfOnce) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 100);
    history.note(other, make_address("192.0.2.1"), RequestOutcome::uptodate, 300);
    history.tell_stale(200);
    history.tell_stale(200);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, HistoryEventKind::stale);
    EXPECT_EQ(events[0].rrset, v4);
    EXPECT_FALSE(record(v4).stale_told) << "nobody has been told";
    history.stale_was_told(v4, 100);
    EXPECT_TRUE(record(v4).stale_told);
    history.tell_stale(200);
    EXPECT_THAT(events, SizeIs(1));
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::abuse, 400);
    EXPECT_FALSE(record(v4).stale_told);
    history.tell_stale(500);
    EXPECT_THAT(events, SizeIs(3)) << "both, and the first again";
}

TEST_F(HistoryTest, WhatIsToldTooLateIsNotTakenForTold) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 100);
    history.tell_stale(200);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 300);
    history.stale_was_told(v4, 100);
    EXPECT_FALSE(record(v4).stale_told);
    history.tell_stale(400);
    EXPECT_THAT(events, SizeIs(2));
    history.stale_was_told(v4, 100);
    EXPECT_FALSE(record(v4).stale_told) << "that was the event before";
    history.stale_was_told(other, 100);
    EXPECT_FALSE(history.knows(other.host));
}

TEST_F(HistoryTest, WhatAnEarlierRunHasNotToldIsToldAndWhatItHasIsNot) {
    const HostRecord untold{100, 100, make_address("192.0.2.1"), RequestOutcome::ok, false};
    HostRecord told = untold;
    told.stale_told = true;
    history.restore(v4, untold);
    history.restore(other, told);
    history.tell_stale(200);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].rrset, v4);
}

TEST_F(HistoryTest, AHostIsStaleWhenNoneOfItsRecordsHasCheckedIn) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v6, make_address("2001:db8::1"), RequestOutcome::ok, 300);
    EXPECT_EQ(history.stale_count(200), 0U);
    EXPECT_FALSE(history.is_stale(v4, 200));
    history.tell_stale(200);
    EXPECT_THAT(events, SizeIs(2)) << "but the changes";
    EXPECT_EQ(history.stale_count(300), 1U) << "hosts, not records";
    EXPECT_TRUE(history.is_stale(v4, 300));
    EXPECT_TRUE(history.is_stale(v6, 300));
    EXPECT_FALSE(history.is_stale(other, 300)) << "it is not known";
    history.tell_stale(300);
    EXPECT_THAT(events, SizeIs(4));
}

TEST_F(HistoryTest, AnAddressThatWasRemovedIsNotExpected) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v6, {}, RequestOutcome::ok, 100);
    EXPECT_EQ(history.stale_count(200), 1U);
    EXPECT_TRUE(history.is_stale(v4, 200));
    EXPECT_FALSE(history.is_stale(v6, 200));
    history.note(v4, {}, RequestOutcome::ok, 100);
    EXPECT_EQ(history.stale_count(200), 0U) << "a host without any";
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::fail, 100);
    EXPECT_EQ(history.stale_count(200), 1U) << "it wants one again";
}

TEST_F(HistoryTest, AnotherTimeAppliesToAll) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 100);
    history.tell_stale(200);
    history.stale_was_told(v4, 100);
    static_cast<void>(history.take_unsaved());
    EXPECT_EQ(history.stale_count(History::never), 0U);
    history.tell_stale(History::never);
    EXPECT_FALSE(record(v4).stale_told);
    EXPECT_THAT(history.take_unsaved().rows, SizeIs(1));
    history.tell_stale(200);
    EXPECT_THAT(events, SizeIs(2)) << "it is stale again";
}

TEST_F(HistoryTest, UnsavedRowsAreTakenOnce) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 200);
    const auto rows = history.take_unsaved().rows;
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].second.checked_in, 200);
    EXPECT_THAT(history.take_unsaved().rows, IsEmpty());
    history.tell_stale(1000);
    EXPECT_THAT(history.take_unsaved().rows, IsEmpty()) << "nobody has been told";
    history.stale_was_told(v4, 200);
    EXPECT_THAT(history.take_unsaved().rows, SizeIs(1));
}

TEST_F(HistoryTest, WhatCouldNotBeSavedIsTakenAgainAsItIsThenAndOnce) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(other, make_address("192.0.2.2"), RequestOutcome::ok, 100);
    for (int i = 0; i < 3; ++i) {
        history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 200 + i);
        const auto unsaved = history.take_unsaved();
        EXPECT_THAT(unsaved.rows, SizeIs(2)) << "not once more for each time";
        history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 300 + i);
        history.not_saved(unsaved);
    }
    static_cast<void>(history.forget(other.host));
    auto unsaved = history.take_unsaved();
    ASSERT_THAT(unsaved.rows, SizeIs(1));
    EXPECT_EQ(unsaved.rows[0].second.checked_in, 302);
    EXPECT_THAT(unsaved.forgotten, ElementsAre(other));
    history.not_saved(unsaved);
    history.note(other, make_address("192.0.2.2"), RequestOutcome::ok, 400);
    unsaved = history.take_unsaved();
    EXPECT_THAT(unsaved.rows, SizeIs(2));
    EXPECT_THAT(unsaved.forgotten, ElementsAre(other)) << "before it is there anew";
}

TEST_F(HistoryTest, AHostThatIsNobodysAnyMoreIsForgotten) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(other, make_address("192.0.2.2"), RequestOutcome::ok, 100);
    static_cast<void>(history.take_unsaved());
    history.keep_only({other.host});
    EXPECT_FALSE(history.knows(v4.host));
    EXPECT_THAT(history.all(), SizeIs(1));
    EXPECT_EQ(history.stale_count(200), 1U);
    EXPECT_FALSE(history.is_stale(v4, 200));
    EXPECT_THAT(history.take_unsaved().forgotten, ElementsAre(v4));

    events.clear();
    history.note(v4, make_address("192.0.2.3"), RequestOutcome::ok, 300);
    EXPECT_THAT(events, SizeIs(1)) << "what was under way is told of";
    EXPECT_FALSE(history.knows(v4.host)) << "and leaves nothing behind";
    history.restore(v4, HostRecord{});
    EXPECT_FALSE(history.knows(v4.host));
    EXPECT_THAT(history.take_unsaved().forgotten, ElementsAre(v4)) << "nor what was saved";

    history.keep_only({v4.host, other.host});
    EXPECT_FALSE(history.knows(v4.host)) << "it comes back as one that never checked in";
    history.note(v4, make_address("192.0.2.3"), RequestOutcome::uptodate, 400);
    EXPECT_FALSE(history.is_stale(v4, 200));
    EXPECT_EQ(record(v4).changed, 0);
    history.keep_only({});
    EXPECT_THAT(history.all(), IsEmpty());
    history.keep_all();
    history.note(v4, make_address("192.0.2.3"), RequestOutcome::ok, 400);
    EXPECT_TRUE(history.knows(v4.host)) << "whoever checks in is a host";
}

TEST_F(HistoryTest, WhatWasForgottenIsNotSaved) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    EXPECT_TRUE(history.forget(v4.host));
    EXPECT_FALSE(history.forget(v4.host));
    auto unsaved = history.take_unsaved();
    EXPECT_THAT(unsaved.rows, IsEmpty());
    EXPECT_THAT(unsaved.forgotten, ElementsAre(v4));
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 200);
    EXPECT_TRUE(history.forget(v4.host));
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 300);
    unsaved = history.take_unsaved();
    ASSERT_THAT(unsaved.rows, SizeIs(1)) << "once, though it was there twice";
    EXPECT_EQ(unsaved.rows[0].second.checked_in, 300);
    EXPECT_THAT(unsaved.forgotten, ElementsAre(v4));
}

TEST_F(HistoryTest, WhatWasRememberedDoesNotReplaceWhatIsKnown) {
    history.note(v4, make_address("192.0.2.2"), RequestOutcome::ok, 500);
    HostRecord old;
    old.checked_in = 100;
    history.restore(v4, old);
    history.restore(v6, old);
    EXPECT_EQ(record(v4).checked_in, 500);
    EXPECT_EQ(record(v6).checked_in, 100);
}

}  // namespace
}  // namespace sftdyn::telemetry
