// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/history_store.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "names.hpp"

namespace sftdyn::telemetry {
namespace {

using boost::asio::ip::make_address;

class HistoryStoreTest : public testing::Test {
protected:
    ~HistoryStoreTest() override {
        for (const char* of : {"", "-journal"}) std::filesystem::remove(path + of);
    }

    const std::string path = testing::TempDir() + "/hosts-" + std::to_string(getpid()) + ".sqlite";
};

TEST_F(HistoryStoreTest, WhatWasSavedIsThereAgain) {
    update::HostTable hosts;
    {
        History history;
        history.note({hosts.number(name("a.example")), dns::Type::a}, make_address("192.0.2.1"),
                     RequestOutcome::ok, 100);
        history.note({hosts.number(name("a.example")), dns::Type::aaaa},
                     make_address("2001:db8::1"), RequestOutcome::uptodate, 200);
        history.note({hosts.number(name("b.example")), dns::Type::a}, make_address("192.0.2.2"),
                     RequestOutcome::abuse, 300);
        history.tell_stale(250);
        history.stale_was_told({hosts.number(name("a.example")), dns::Type::a}, 100);
        const Store store(*Database::open(path), history, hosts);
    }  // saved at the end
    update::HostTable other_numbers;
    static_cast<void>(other_numbers.number(name("b.example")));
    History history;
    auto database = Database::open(path);
    ASSERT_TRUE(database.has_value());
    EXPECT_EQ((*database)->load(history, other_numbers, 0).value(), 3U);
    for (const auto& [target, record] : history.all()) {
        const std::string host = other_numbers.name(target.host).text();
        if (host == "b.example") {
            EXPECT_EQ(record.checked_in, 300);
            EXPECT_EQ(record.changed, 0);
            EXPECT_EQ(record.outcome, RequestOutcome::abuse);
            EXPECT_TRUE(record.address.is_unspecified());
        } else if (target.type == dns::Type::a) {
            EXPECT_EQ(record.address, make_address("192.0.2.1"));
            EXPECT_EQ(record.changed, 100);
            EXPECT_TRUE(record.stale_told);
        } else {
            EXPECT_EQ(record.address, make_address("2001:db8::1"));
            EXPECT_FALSE(record.stale_told);
        }
    }
}

TEST_F(HistoryStoreTest, WhatWasForgottenIsGone) {
    update::HostTable hosts;
    const update::RrsetKey gone{hosts.number(name("gone.example")), dns::Type::a};
    const update::RrsetKey stays{hosts.number(name("stays.example")), dns::Type::a};
    {
        History history;
        history.note(gone, make_address("192.0.2.1"), RequestOutcome::ok, 100);
        history.note(stays, make_address("192.0.2.1"), RequestOutcome::ok, 100);
        const Store store(*Database::open(path), history, hosts);
    }
    {
        History history;
        history.keep_only({stays.host});
        auto database = *Database::open(path);
        ASSERT_TRUE(database->load(history, hosts, 0).has_value());
        EXPECT_EQ(history.all().size(), 1U);
        const Store store(std::move(database), history, hosts);
    }
    History history;
    EXPECT_EQ((*Database::open(path))->load(history, hosts, 0).value(), 1U);
    EXPECT_TRUE(history.knows(stays.host));
    EXPECT_FALSE(history.knows(gone.host));
}

TEST_F(HistoryStoreTest, WhatCannotBeSavedIsKeptByTheHistory) {
    update::HostTable hosts;
    const update::RrsetKey rrset{hosts.number(name("a.example")), dns::Type::a};
    History history;
    history.note(rrset, make_address("192.0.2.1"), RequestOutcome::ok, 100);
    {
        const Store store(*Database::open(path), history, hosts);
        std::ofstream(path) << std::string(8192, 'x');  // it is no database any more
    }                                                   // saved at the end, which fails
    EXPECT_EQ(history.take_unsaved().rows.size(), 1U);
}

TEST_F(HistoryStoreTest, EventsAreKeptAndTakenOnce) {
    update::HostTable hosts;
    const update::RrsetKey rrset{hosts.number(name("a.example")), dns::Type::aaaa};
    History history;
    HistoryEvent change{HistoryEventKind::change, rrset, {}, {}};
    change.now.address = make_address("2001:db8::1");
    change.now.checked_in = 100;
    change.before = make_address("2001:db8::2");
    HistoryEvent failure{HistoryEventKind::failure, rrset, {}, {}};
    failure.now.address = make_address("2001:db8::3");
    {
        Store store(*Database::open(path), history, hosts);
        store.keep_events({change, failure});
    }
    update::HostTable others;
    const auto database = *Database::open(path);
    const auto events = database->take_events(others);
    ASSERT_TRUE(events.has_value());
    ASSERT_EQ(events->size(), 2U);
    const HistoryEvent& first = events->front();
    EXPECT_EQ(others.name(first.rrset.host), name("a.example"));
    EXPECT_EQ(first.rrset.type, dns::Type::aaaa);
    EXPECT_EQ(first.kind, HistoryEventKind::change);
    EXPECT_EQ(first.now.address, change.now.address);
    EXPECT_EQ(first.now.checked_in, 100);
    EXPECT_EQ(first.before, change.before);
    EXPECT_EQ(events->back().kind, HistoryEventKind::failure);
    EXPECT_TRUE(events->back().before.is_unspecified());
    EXPECT_TRUE(database->take_events(others)->empty());
}

}  // namespace
}  // namespace sftdyn::telemetry
