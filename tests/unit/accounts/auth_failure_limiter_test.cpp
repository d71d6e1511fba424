// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/auth_failure_limiter.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;

namespace {

const auto client = make_address("192.0.2.1");
const base::TimePoint start = base::TimePoint() + 1000s;

TEST(AuthFailureLimiter, AnswerDelayRefuse) {
    accounts::AuthFailureLimiter guesses(2, 10s);
    std::vector<accounts::FailureTreatmentKind> kinds;
    for (int i = 0; i < 6; ++i) kinds.push_back(guesses.failed(client, start).kind);
    EXPECT_EQ(kinds,
              (std::vector{
                  accounts::FailureTreatmentKind::answer, accounts::FailureTreatmentKind::answer,
                  accounts::FailureTreatmentKind::delay, accounts::FailureTreatmentKind::delay,
                  accounts::FailureTreatmentKind::refuse, accounts::FailureTreatmentKind::refuse}));
    EXPECT_EQ(guesses.failed(make_address("192.0.2.2"), start).kind,
              accounts::FailureTreatmentKind::answer);
}

TEST(AuthFailureLimiter, OneIsForgottenEachRefill) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (int i = 0; i < 2; ++i) (void)guesses.failed(client, start);
    const auto refused = guesses.failed(client, start);
    EXPECT_EQ(refused.kind, accounts::FailureTreatmentKind::refuse);
    EXPECT_EQ(refused.retry_after, 10s);
    EXPECT_EQ(guesses.failed(client, start + 10s).kind, accounts::FailureTreatmentKind::delay);
    EXPECT_EQ(guesses.failed(client, start + 100s).kind, accounts::FailureTreatmentKind::answer);
}

TEST(AuthFailureLimiter, ABurstIsSaidOnce) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(guesses.failed(client, start).first);
    EXPECT_TRUE(guesses.failed(client, start).first);
    EXPECT_FALSE(guesses.failed(client, start).first);
    const auto later = start + 60s;
    for (int i = 0; i < 2; ++i) EXPECT_FALSE(guesses.failed(client, later).first);
    EXPECT_TRUE(guesses.failed(client, later).first);
}

TEST(AuthFailureLimiter, AnIpv6NetworkIsOneClient) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    EXPECT_EQ(guesses.failed(make_address("2001:db8:0:1::1"), start).kind,
              accounts::FailureTreatmentKind::answer);
    EXPECT_EQ(guesses.failed(make_address("2001:db8:0:1:ffff::2"), start).kind,
              accounts::FailureTreatmentKind::delay);
    EXPECT_EQ(guesses.failed(make_address("2001:db8:0:2::1"), start).kind,
              accounts::FailureTreatmentKind::answer);
    EXPECT_EQ(guesses.size(), 4U) << "two networks, and the wider ones that they are in";
}

/// The address `host` of the network `number`, which has 64 bits, of 2001:db8::/32.
boost::asio::ip::address ipv6(std::uint32_t number, unsigned char host = 1) {
    boost::asio::ip::address_v6::bytes_type bytes{0x20, 0x01, 0x0d, 0xb8};
    for (std::size_t i = 0; i < 4; ++i)
        bytes[4 + i] = static_cast<unsigned char>(number >> (24 - 8 * i));
    bytes[15] = host;
    return boost::asio::ip::address_v6(bytes);
}

using Kind = accounts::FailureTreatmentKind;
using CountedAs = accounts::AuthFailureLimiter::CountedAs;

/// How many of a guess from each of `count` networks are not refused.
std::size_t taken(accounts::AuthFailureLimiter& guesses, std::uint32_t first, std::uint32_t count) {
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < count; ++i)
        sum += guesses.failed(ipv6(first + i), start).kind != Kind::refuse ? 1 : 0;
    return sum;
}

TEST(AuthFailureLimiter, AHomeAndACompanyHaveBudgetsTooSoThatTheyAreNotAsManyClients) {
    accounts::AuthFailureLimiter guesses(20, 30s);
    EXPECT_EQ(taken(guesses, 0, 256), 4 * 40U) << "a network of 56 bits";
    EXPECT_EQ(guesses.look(ipv6(255), start).kind, Kind::refuse);
    EXPECT_EQ(guesses.look(ipv6(256), start).kind, Kind::answer) << "its neighbour";
    EXPECT_EQ(taken(guesses, 0, 65'536), 12 * 40U) << "the rest of the one of 48 bits";
    EXPECT_EQ(guesses.look(ipv6(65'535), start).kind, Kind::refuse);
    EXPECT_EQ(guesses.look(ipv6(65'536), start).kind, Kind::answer) << "its neighbour";
    EXPECT_LT(guesses.size(), 700U) << "one site does not fill the table";
    EXPECT_EQ(taken(guesses, 65'536, 1), 1U);
}

TEST(AuthFailureLimiter, ItIsKnownWhenAllGuessesAreForgotten) {
    accounts::AuthFailureLimiter guesses(20, 30s);
    EXPECT_EQ(guesses.failed(client, start).forgotten_at, base::TimePoint());
    EXPECT_EQ(guesses.failed(client, start).forgotten_at, start + 30s);
    EXPECT_EQ(guesses.look(client, start).forgotten_at, start + 60s);
    EXPECT_EQ(guesses.look(client, start + 60s).forgotten_at, base::TimePoint());
    // A neighbour's count, as a part of what the wider network may.
    for (int i = 0; i < 20; ++i) (void)guesses.failed(ipv6(0), start);
    EXPECT_EQ(guesses.look(ipv6(0), start).forgotten_at, start + 600s);
    EXPECT_EQ(guesses.look(ipv6(1), start).forgotten_at, start + 150s);
    EXPECT_EQ(guesses.look(ipv6(256), start).forgotten_at, start + 37500ms);
    EXPECT_EQ(guesses.look(ipv6(65'536), start).forgotten_at, base::TimePoint());
}

TEST(AuthFailureLimiter, LookingCountsNothingAndWhatWasNoFailureIsTakenBack) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(guesses.look(client, start).kind, Kind::answer);
    EXPECT_EQ(guesses.failed(client, start).counted, CountedAs::network);
    EXPECT_EQ(guesses.failed(client, start).counted, CountedAs::network);
    EXPECT_EQ(guesses.failed(client, start).counted, CountedAs::nothing) << "it is refused";
    EXPECT_EQ(guesses.look(client, start).kind, Kind::refuse);
    EXPECT_EQ(guesses.look(client, start + 10s).kind, Kind::answer);
    guesses.take_back(client, CountedAs::network, start);
    EXPECT_EQ(guesses.look(client, start).kind, Kind::answer);
    EXPECT_EQ(guesses.failed(client, start).kind, Kind::delay);
    for (int i = 0; i < 2; ++i) guesses.take_back(client, CountedAs::network, start);
    EXPECT_EQ(guesses.size(), 0U);
    EXPECT_EQ(guesses.failed(ipv6(1), start).kind, Kind::answer);
    EXPECT_EQ(guesses.size(), 3U);
    guesses.take_back(ipv6(1), CountedAs::network, start);
    EXPECT_EQ(guesses.size(), 0U);
}

/// A table with no room for another network.
class FullFailureTable : public testing::Test {
protected:
    FullFailureTable() {
        for (std::uint32_t i = 0; i < accounts::AuthFailureLimiter::most_networks; ++i)
            EXPECT_EQ(guesses.failed(boost::asio::ip::make_address_v4(i), start).counted,
                      CountedAs::network);
    }
    static boost::asio::ip::address newcomer(unsigned char number) {
        return boost::asio::ip::make_address_v4(0xc6336400U + number);
    }
    accounts::AuthFailureLimiter guesses{2, 10s};
};

TEST_F(FullFailureTable, AllThatFindNoPlaceShareOneBudget) {
    std::vector<Kind> kinds;
    for (unsigned char i = 0; i < 6; ++i) kinds.push_back(guesses.failed(newcomer(i), start).kind);
    EXPECT_EQ(kinds, (std::vector{Kind::answer, Kind::answer, Kind::delay, Kind::delay,
                                  Kind::refuse, Kind::refuse}));
    EXPECT_EQ(guesses.look(newcomer(99), start).kind, Kind::refuse)
        << "nobody guesses without being counted";
    EXPECT_EQ(guesses.look(ipv6(99), start).kind, Kind::refuse);
    EXPECT_EQ(guesses.look(newcomer(99), start).forgotten_at, start + 40s);
    EXPECT_EQ(guesses.failed(boost::asio::ip::make_address_v4(7), start).kind, Kind::answer)
        << "who is remembered has a budget of its own";
    EXPECT_EQ(guesses.failed(newcomer(1), start + 11s).kind, Kind::answer) << "there is room again";
    EXPECT_EQ(guesses.size(), 2U) << "the newcomer, and who has guessed twice";
}

TEST_F(FullFailureTable, ItIsSaidOnceAMinuteAndNobodyIsNamed) {
    EXPECT_TRUE(guesses.failed(newcomer(0), start).table_full);
    for (unsigned char i = 1; i < 9; ++i) {
        const auto treatment = guesses.failed(newcomer(i), start);
        EXPECT_FALSE(treatment.table_full);
        EXPECT_FALSE(treatment.first) << "who has nothing to do with it would be banned";
    }
}

TEST_F(FullFailureTable, WhatWasNoFailureIsTakenBackFromWhatAllShare) {
    for (int round = 0; round < 20; ++round) {
        const auto treatment = guesses.failed(newcomer(1), start);
        EXPECT_EQ(treatment.counted, CountedAs::one_of_too_many);
        guesses.take_back(newcomer(1), treatment.counted, start);
    }
    EXPECT_EQ(guesses.look(newcomer(1), start).kind, Kind::answer);
}

TEST(AuthFailureLimiter, ZeroRefusesNobodyAndTheTableIsBounded) {
    accounts::AuthFailureLimiter off(0, 10s);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(off.failed(client, start).kind, accounts::FailureTreatmentKind::answer);
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (std::uint32_t i = 0; i < 200'000; ++i)
        (void)guesses.failed(boost::asio::ip::make_address_v4(i), start);
    EXPECT_LE(guesses.size(), std::size_t(1) << 16);
}

}  // namespace
