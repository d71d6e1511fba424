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
    EXPECT_EQ(guesses.size(), 2U);
}

TEST(AuthFailureLimiter, LookingCountsNothingAndWhatWasNoFailureIsTakenBack) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(guesses.look(client, start).kind, accounts::FailureTreatmentKind::answer);
    EXPECT_TRUE(guesses.failed(client, start).clean);
    EXPECT_FALSE(guesses.failed(client, start).clean);
    EXPECT_EQ(guesses.look(client, start).kind, accounts::FailureTreatmentKind::refuse);
    EXPECT_EQ(guesses.look(client, start + 10s).kind, accounts::FailureTreatmentKind::answer);
    guesses.take_back(client, start);
    EXPECT_EQ(guesses.look(client, start).kind, accounts::FailureTreatmentKind::answer);
    EXPECT_EQ(guesses.failed(client, start).kind, accounts::FailureTreatmentKind::delay);
    for (int i = 0; i < 2; ++i) guesses.take_back(client, start);
    EXPECT_EQ(guesses.size(), 0U);
}

TEST(AuthFailureLimiter, AFullTableRefusesAndForgetsNobody) {
    accounts::AuthFailureLimiter guesses(1, 10s);
    for (std::uint32_t i = 0; i < 1U << 16; ++i)
        ASSERT_TRUE(guesses.failed(boost::asio::ip::make_address_v4(i), start).counted);
    const auto newcomer = make_address("192.0.2.1");
    EXPECT_EQ(guesses.look(newcomer, start).kind, accounts::FailureTreatmentKind::answer)
        << "whoever has not guessed is listened to";
    const auto first = guesses.failed(newcomer, start);
    EXPECT_EQ(first.kind, accounts::FailureTreatmentKind::refuse);
    EXPECT_TRUE(first.table_full);
    EXPECT_FALSE(guesses.failed(newcomer, start).table_full) << "it is said once";
    EXPECT_EQ(guesses.failed(boost::asio::ip::make_address_v4(7), start).kind,
              accounts::FailureTreatmentKind::delay)
        << "it is still remembered";
    EXPECT_EQ(guesses.failed(newcomer, start + 11s).kind, accounts::FailureTreatmentKind::answer);
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
