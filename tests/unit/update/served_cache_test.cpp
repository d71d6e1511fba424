// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/served_cache.hpp"

#include <random>
#include <thread>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using namespace sftdyn;
using update::HostTable;
using update::ServedCache;

namespace {

constexpr update::RrsetKey rrset{7, dns::Type::a};
const base::TimePoint at{1h};

TEST(ServedCache, KnowsExactlyWhatWasSet) {
    ServedCache known;
    EXPECT_FALSE(known.is_served(rrset, "abcd", at));
    known.set(rrset, "abcd", at);
    EXPECT_TRUE(known.is_served(rrset, "abcd", at));
    EXPECT_FALSE(known.is_served(rrset, "abce", at));
    EXPECT_FALSE(known.is_served({7, dns::Type::aaaa}, "abcd", at));
    EXPECT_FALSE(known.is_served({8, dns::Type::a}, "abcd", at));
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + 1ns));
    EXPECT_EQ(known.take(rrset)->rdata, "abcd");
    EXPECT_FALSE(known.is_served(rrset, "abcd", at));
    EXPECT_FALSE(known.take(rrset));
}

TEST(ServedCache, NothingServedIsKnowledgeToo) {
    ServedCache known;
    known.set(rrset, "", at);
    EXPECT_EQ(known.take(rrset)->rdata, "");
}

TEST(ServedCache, TheSerialConfirmsWhatWasLearnedInItsEpoch) {
    ServedCache known;
    update::ZoneStamp& zone = known.add_zone();
    zone.set(3, at);
    known.set(rrset, "abcd", at, 30, {&zone, 3});
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + 1s));
    zone.set(3, at + 2s);
    EXPECT_TRUE(known.is_served(rrset, "abcd", at + 1s));
    EXPECT_TRUE(known.is_served(rrset, "abcd", at + 2s));
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + 2s + 1ns));
    EXPECT_FALSE(known.is_served(rrset, "abce", at + 1s));
    EXPECT_EQ(known.take(rrset)->mark, (update::SerialMark{&zone, 3}));

    known.set(rrset, "abcd", at, 30, {&zone, 2});
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + 1s)) << "it is of an earlier epoch";
    EXPECT_TRUE(known.is_served(rrset, "abcd", at));
    known.set(rrset, "abcd", at, 30);
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + 1s)) << "it is of no epoch";

    known.set(rrset, "abcd", at, 30, {&zone, 3});
    zone.set(3, at + 10min);
    EXPECT_TRUE(known.is_served(rrset, "abcd", at + ServedCache::longest_belief));
    EXPECT_FALSE(known.is_served(rrset, "abcd", at + ServedCache::longest_belief + 1ns))
        << "the record itself has to be asked for again";
}

TEST(ZoneStamp, RoundsTheTimeDownAndTellsEpochsApart) {
    update::ZoneStamp stamp;
    EXPECT_FALSE(stamp.confirms(0, base::TimePoint::min()));
    constexpr std::uint32_t last = (1U << update::ZoneStamp::epoch_bits) - 1;
    for (const auto time : {base::TimePoint(0s), at, base::TimePoint(24h * 366 * 30)}) {
        stamp.set(last, time + 3ms);
        EXPECT_TRUE(stamp.confirms(last, time));
        EXPECT_FALSE(stamp.confirms(last, time + 3ms + 1ns));
        EXPECT_TRUE(stamp.confirms(last, time + 3ms - 16ms));
        EXPECT_FALSE(stamp.confirms(last - 1, time));
    }
    stamp.set(0, at);
    EXPECT_FALSE(stamp.confirms(last, base::TimePoint::min()));
    EXPECT_FALSE(stamp.confirms(0, base::TimePoint::min())) << "0 is no epoch";
}

TEST(ServedCache, LongDataIsForgotten) {
    ServedCache known;
    known.set(rrset, "abcd", at);
    known.set(rrset, std::string(17, 'x'), at);
    EXPECT_FALSE(known.take(rrset));
}

TEST(HostTable, NumbersAreStable) {
    HostTable hosts;
    std::vector<update::HostId> numbers;
    for (int i = 0; i < 1000; ++i)
        numbers.push_back(hosts.number(*dns::Name::parse("h" + std::to_string(i) + ".org")));
    for (int i = 0; i < 1000; ++i) {
        const auto name = *dns::Name::parse("h" + std::to_string(i) + ".org");
        EXPECT_EQ(hosts.number(name), numbers[static_cast<std::size_t>(i)]);
        EXPECT_EQ(hosts.name(numbers[static_cast<std::size_t>(i)]), name);
    }
    EXPECT_EQ(hosts.size(), 1000U);
}

TEST(ServedCache, TheSharedTablesAreSafeForManyThreads) {
    HostTable hosts;
    ServedCache known;
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            std::mt19937 random(thread);
            for (int i = 0; i < 20000; ++i) {
                const auto number = static_cast<unsigned>(random() % 100);
                const auto name = dns::Name::parse("h" + std::to_string(number) + ".org").value();
                const update::RrsetKey of_host{hosts.number(name), dns::Type::a};
                const std::string rdata(4, static_cast<char>(number));
                if (random() % 4 == 0) known.set(of_host, rdata, base::TimePoint{1h});
                if (random() % 16 == 0) known.forget(of_host);
                const auto got = random() % 16 == 0 ? known.take(of_host) : std::nullopt;
                EXPECT_TRUE(!got || got->rdata == rdata);
                EXPECT_EQ(hosts.name(of_host.host), name);
                EXPECT_FALSE(known.is_served(of_host, "zzzz", base::TimePoint{}));
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(hosts.size(), 100U);
}

}  // namespace
