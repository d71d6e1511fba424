// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/zone_queue.hpp"

#include <gtest/gtest.h>

#include "update/query_limiter.hpp"
#include "update/usual_limits.hpp"

using namespace sftdyn;
using namespace sftdyn::update;

namespace {

class ZoneQueueTest : public testing::Test {
protected:
    static ChangeGroup group(HostId host) { return {RrsetKey{host, dns::Type::a}}; }
    std::vector<HostId> take() {
        std::vector<HostId> hosts;
        for (const auto& one : zone.take_batch(limits, [](const RrsetKey&) { return 10U; }))
            hosts.push_back(one.front().host);
        return hosts;
    }

    EngineLimits limits = usual_limits();
    ZoneQueue zone{dns::Name::parse("example.org").value()};
};

using Hosts = std::vector<HostId>;

TEST_F(ZoneQueueTest, HalvesGoFirstThenQuarantinedInTurnsWithTheOthers) {
    for (HostId host = 1; host <= 3; ++host) zone.push(group(host), false);
    EXPECT_EQ(take(), (Hosts{1, 2, 3}));
    zone.push(group(9), true);
    zone.push(group(8), true);
    zone.push(group(4), false);
    zone.push_halves({group(1), group(2), group(3)});
    EXPECT_EQ(take(), (Hosts{1}));
    EXPECT_EQ(take(), (Hosts{2, 3}));
    EXPECT_EQ(take(), (Hosts{9}));
    EXPECT_EQ(take(), (Hosts{4}));
    EXPECT_EQ(take(), (Hosts{8}));
    EXPECT_EQ(take(), Hosts{});
}

TEST_F(ZoneQueueTest, ABatchIsBounded) {
    limits.batch = 2;
    for (HostId host = 1; host <= 3; ++host) zone.push(group(host), false);
    EXPECT_EQ(take(), (Hosts{1, 2}));
    limits.batch_octets = 5;
    EXPECT_EQ(take(), (Hosts{3})) << "one goes, however large";
}

TEST_F(ZoneQueueTest, NothingIsSentWhileSomethingIsInDoubt) {
    limits.updates_in_flight = 2;
    zone.contact_begins();
    EXPECT_FALSE(zone.may_send(limits));
    zone.contact_ends();
    EXPECT_TRUE(zone.may_send(limits));
    zone.batch_sent();
    zone.batch_sent();
    EXPECT_FALSE(zone.may_send(limits));
    zone.batch_in_doubt();
    zone.batch_resolved(false);
    EXPECT_FALSE(zone.may_send(limits)) << "one of two is in doubt";
    zone.batch_resolved(true);
    EXPECT_TRUE(zone.may_send(limits));
    zone.script_message_sent();
    EXPECT_TRUE(zone.is_in_doubt());
    EXPECT_FALSE(zone.may_send(limits));
    zone.script_message_resolved();
    EXPECT_TRUE(zone.may_send(limits));
}

TEST(QueryLimiter, AsksInTheOrderInWhichTheyCame) {
    QueryLimiter limiter(2);
    std::vector<int> asked;
    for (int i = 0; i < 4; ++i) limiter.when_free([&asked, i] { asked.push_back(i); });
    EXPECT_EQ(asked, (std::vector{0, 1}));
    limiter.done();
    EXPECT_EQ(asked, (std::vector{0, 1, 2}));
    limiter.set_limit(1);
    limiter.done();
    EXPECT_EQ(asked.size(), 3U) << "as many are under way as there may be now";
    limiter.done();
    EXPECT_EQ(asked, (std::vector{0, 1, 2, 3}));
    EXPECT_EQ(limiter.in_flight(), 1U);
    EXPECT_EQ(limiter.waiting(), 0U);
}

}  // namespace
