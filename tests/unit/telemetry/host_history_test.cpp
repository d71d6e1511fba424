// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/host_history.hpp"

#include <gmock/gmock.h>

namespace sftdyn::telemetry {
namespace {

using boost::asio::ip::make_address;
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

TEST_F(HistoryTest, StaleHostsAreMarkedAndToldOnce) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 100);
    history.note(other, make_address("192.0.2.1"), RequestOutcome::uptodate, 300);
    history.mark_stale(200);
    history.mark_stale(200);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, HistoryEventKind::stale);
    EXPECT_EQ(events[0].rrset, v4);
    EXPECT_EQ(history.stale_count(), 1U);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::fail, 400);
    EXPECT_EQ(history.stale_count(), 0U);
}

TEST_F(HistoryTest, UnsavedRowsAreTakenOnce) {
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    history.note(v4, make_address("192.0.2.1"), RequestOutcome::uptodate, 200);
    const auto rows = history.take_unsaved();
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].second.checked_in, 200);
    EXPECT_THAT(history.take_unsaved(), IsEmpty());
    history.mark_stale(1000);
    EXPECT_THAT(history.take_unsaved(), SizeIs(1));
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
