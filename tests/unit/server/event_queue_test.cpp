// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_queue.hpp"

#include <gmock/gmock.h>

namespace sftdyn::server {
namespace {

using boost::asio::ip::make_address;

Event change(const std::string& host, const char* old_address, const char* address) {
    return {EventKind::change,         host, dns::Type::a, make_address(address),
            make_address(old_address), 1};
}
Event stale(const std::string& host) {
    return {EventKind::stale, host, dns::Type::a, make_address("192.0.2.1"), {}, 1};
}

Event failure(const std::string& host, const char* wanted = "192.0.2.7") {
    return {EventKind::failure, host, dns::Type::a, make_address(wanted), {}, 1};
}

class EventQueueTest : public testing::Test {
protected:
    void add(const Event& event) { EXPECT_TRUE(queue.add(event)); }
    /// As "change a", in the order in which they are taken.
    std::vector<std::string> all() {
        std::vector<std::string> out;
        while (const auto event = queue.take([](const auto&) { return false; }))
            out.push_back(std::string(text_of(event->kind)) + " " + event->host);
        return out;
    }

    EventQueue queue{1000};
};

TEST_F(EventQueueTest, TheFirstComesFirst) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(stale("b"));
    add(change("c", "192.0.2.1", "192.0.2.2"));
    EXPECT_THAT(all(), testing::ElementsAre("change a", "stale b", "change c"));
}

TEST_F(EventQueueTest, WhatIsUnwantedIsDropped) {
    add(stale("a"));
    add(change("b", "192.0.2.1", "192.0.2.2"));
    add(stale("c"));
    queue.erase_if([](const Event& event) { return event.kind == EventKind::stale; });
    EXPECT_EQ(queue.size(), 1U);
    add(stale("a"));
    EXPECT_THAT(all(), testing::ElementsAre("change b", "stale a")) << "it may come again";
}

TEST_F(EventQueueTest, AHostThatHasChangedDoesNotFail) {
    add(failure("a"));
    add(failure("b"));
    add(change("a", "192.0.2.1", "192.0.2.2"));
    EXPECT_THAT(all(), testing::ElementsAre("failure b", "change a"));
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(failure("a"));
    add(failure("a", "192.0.2.8"));
    EXPECT_THAT(all(), testing::ElementsAre("change a", "failure a")) << "it fails since";
    add(change("a", "192.0.2.1", "192.0.2.2"));
    queue.put_back(failure("a"));
    EXPECT_THAT(all(), testing::ElementsAre("change a")) << "it has changed meanwhile";
}

TEST_F(EventQueueTest, OfChangesTheNewestIsKeptWithTheAddressThatWasToldLast) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(change("b", "192.0.2.1", "192.0.2.2"));
    add(change("a", "192.0.2.2", "192.0.2.3"));
    add(change("a", "192.0.2.3", "192.0.2.4"));
    ASSERT_EQ(queue.size(), 2U);
    const auto event = queue.take([](const auto&) { return false; });
    EXPECT_EQ(*event, change("a", "192.0.2.1", "192.0.2.4"));
}

TEST_F(EventQueueTest, BothFamiliesAreRecordsOfTheirOwn) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    Event six{EventKind::change, "a", dns::Type::aaaa, make_address("2001:db8::1"), {}, 1};
    add(six);
    EXPECT_EQ(queue.size(), 2U);
}

TEST_F(EventQueueTest, AHostThatGoesQuietHadChangedBefore) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(stale("a"));
    EXPECT_THAT(all(), testing::ElementsAre("change a", "stale a"));
}

TEST_F(EventQueueTest, AHostThatChangesIsNotQuiet) {
    add(stale("a"));
    add(change("a", "192.0.2.1", "192.0.2.2"));
    EXPECT_THAT(all(), testing::ElementsAre("change a"));
}

TEST_F(EventQueueTest, ABusyRecordIsPassedOver) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(change("b", "192.0.2.1", "192.0.2.2"));
    const auto a_is_busy = [](const EventQueue::Record& record) { return record.first == "a"; };
    EXPECT_EQ(queue.take(a_is_busy)->host, "b");
    EXPECT_FALSE(queue.take(a_is_busy));
    EXPECT_EQ(queue.size(), 1U);
}

TEST_F(EventQueueTest, WhatIsPutBackComesFirst) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    add(change("b", "192.0.2.1", "192.0.2.2"));
    queue.put_back(*queue.take([](const auto&) { return false; }));
    EXPECT_THAT(all(), testing::ElementsAre("change a", "change b"));
}

TEST_F(EventQueueTest, WhatIsPutBackGivesWayToWhatIsNewer) {
    add(change("a", "192.0.2.1", "192.0.2.2"));
    const auto taken = queue.take([](const auto&) { return false; });
    add(change("a", "192.0.2.2", "192.0.2.3"));
    queue.put_back(*taken);
    ASSERT_EQ(queue.size(), 1U);
    EXPECT_EQ(*queue.take([](const auto&) { return false; }),
              change("a", "192.0.2.1", "192.0.2.3"));

    add(change("a", "192.0.2.3", "192.0.2.4"));
    queue.put_back(stale("a"));
    EXPECT_THAT(all(), testing::ElementsAre("change a"));
}

TEST_F(EventQueueTest, ItIsBoundedAndTakesTheNewestStateAllTheSame) {
    EventQueue small(2);
    EXPECT_TRUE(small.add(change("a", "192.0.2.1", "192.0.2.2")));
    EXPECT_TRUE(small.add(change("b", "192.0.2.1", "192.0.2.2")));
    EXPECT_FALSE(small.add(change("c", "192.0.2.1", "192.0.2.2")));
    EXPECT_TRUE(small.add(change("a", "192.0.2.2", "192.0.2.3")));
    EXPECT_EQ(small.size(), 2U);
    EXPECT_EQ(small.take([](const auto&) { return false; })->address, make_address("192.0.2.3"));
}

}  // namespace
}  // namespace sftdyn::server
