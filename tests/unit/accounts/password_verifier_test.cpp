// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/password_verifier.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>

using namespace sftdyn;
using accounts::Verifier;

namespace {

base::ClientNetwork network(std::uint32_t number) { return {number, false}; }

base::ClientNetwork ipv6_network(std::uint64_t bits) { return {bits, true}; }

constexpr base::TimePoint no_guess{};
constexpr base::TimePoint later(int seconds) {
    return base::TimePoint() + std::chrono::seconds(seconds);
}

/// The first job stands still until it is let go, so that all others wait.
class VerifierTest : public testing::Test {
protected:
    VerifierTest() {
        EXPECT_EQ(verifier.add({.network = network(1000),
                                .user = "first",
                                .work =
                                    [this] {
                                        started.set_value();
                                        gate.get_future().wait();
                                    },
                                .displaced = [] {}}),
                  Verifier::Place::taken);
        started.get_future().wait();
    }
    bool add(base::ClientNetwork from, const std::string& user,
             base::TimePoint forgotten_at = no_guess, bool is_familiar = false,
             base::KeyedHash::Digest attempt = {}) {
        // Each another, unless the test says so.
        static std::uint64_t number = 1000;
        if (attempt == base::KeyedHash::Digest{}) attempt[0] = ++number;
        const std::string name = user + " " + std::to_string(from.bits);
        return Verifier::Place::taken ==
               verifier.add({.network = from,
                             .user = user,
                             .is_familiar = is_familiar,
                             .forgotten_at = forgotten_at,
                             .attempt = attempt,
                             .work =
                                 [this, name] {
                                     order.push_back(name);
                                     if (order.size() == expected) done.set_value();
                                 },
                             .displaced = [this, name] { displaced.push_back(name); }});
    }
    void let_go(std::size_t jobs) {
        expected = jobs;
        gate.set_value();
        done.get_future().wait();
    }

    std::promise<void> started, gate, done;
    std::vector<std::string> order, displaced;
    std::atomic<std::size_t> expected = 0;
    Verifier verifier;  // its thread ends before the rest does
};

TEST_F(VerifierTest, ANetworkHasFewThatWait) {
    for (std::size_t i = 0; i < Verifier::most_of_network; ++i)
        EXPECT_TRUE(add(network(1), "u", later(1)));
    EXPECT_FALSE(add(network(1), "v", later(1)));
    EXPECT_TRUE(add(network(2), "v", later(1)));
    let_go(Verifier::most_of_network + 1);
}

TEST_F(VerifierTest, SoHasAnIpv6NetworkOfEachWidth) {
    const auto fill = [this](std::uint64_t first, std::uint64_t step, std::size_t most) {
        for (std::size_t i = 0; i < most; ++i)
            EXPECT_TRUE(add(ipv6_network(first + i * step), "u" + std::to_string(i), later(10)));
    };
    const std::uint64_t home = 0x20010db800010000, company = 0x20010db800020000;
    fill(home, 1, Verifier::most_of_home);
    EXPECT_FALSE(add(ipv6_network(home + 99), "v", later(10)));
    EXPECT_TRUE(add(ipv6_network(home + 0x100), "v", later(10))) << "its neighbour";
    fill(company, 0x100, Verifier::most_of_company);
    EXPECT_FALSE(add(ipv6_network(company + 0x9900), "v", later(10)));
    EXPECT_TRUE(displaced.empty());
    // A company whose others all guess.
    EXPECT_TRUE(add(ipv6_network(company + 0x9900), "v", later(1)));
    EXPECT_EQ(displaced.size(), 1U);
    let_go(Verifier::most_of_home + 1 + Verifier::most_of_company);
}

TEST_F(VerifierTest, AUserHasNotAllThatGuess) {
    for (std::uint32_t i = 0; i < Verifier::most_of_user; ++i)
        EXPECT_TRUE(add(network(i), "u", later(5)));
    EXPECT_FALSE(add(network(500), "u", later(5)));
    EXPECT_TRUE(add(network(500), "v", later(5)));
    EXPECT_TRUE(displaced.empty());
    EXPECT_TRUE(add(network(501), "u", later(4))) << "who has guessed less takes one's place";
    EXPECT_EQ(displaced, std::vector<std::string>{"u 0"}) << "at once";
    let_go(Verifier::most_of_user + 1);
}

TEST_F(VerifierTest, WhoIsFamiliarThenWhoHasGuessedNothingOrLessGoesFirst) {
    EXPECT_TRUE(add(network(1), "u", later(2)));
    EXPECT_TRUE(add(network(2), "u", later(1)));
    EXPECT_TRUE(add(network(3), "u", later(3)));
    EXPECT_TRUE(add(network(4), "u"));
    EXPECT_TRUE(add(network(5), "u")) << "the other's client may have given up";
    EXPECT_TRUE(add(network(6), "u", later(9), true));
    let_go(6);
    EXPECT_EQ(order, (std::vector<std::string>{"u 6", "u 5", "u 4", "u 2", "u 1", "u 3"}));
}

/// Its first request counts as wrong while it waits.
TEST_F(VerifierTest, AClientThatSendsTheSameAgainComesWithItsFirst) {
    EXPECT_TRUE(add(network(1), "guesser", later(1)));
    EXPECT_TRUE(add(network(2), "u", no_guess, false, {7, 7}));
    EXPECT_TRUE(add(network(2), "u", later(30), false, {7, 7}));
    EXPECT_TRUE(add(network(2), "other", later(30), false, {8, 8}));
    EXPECT_TRUE(add(network(3), "elsewhere", later(30), false, {7, 7}));
    let_go(5);
    EXPECT_EQ(order,
              (std::vector<std::string>{"u 2", "u 2", "guesser 1", "elsewhere 3", "other 2"}));
}

/// However many networks guess, for this user, others or none.
TEST_F(VerifierTest, WhoHasGuessedNothingIsNotKeptOut) {
    for (const char* user : {"u", "v", ""}) {
        for (std::uint32_t i = 0; i < Verifier::most; ++i) {
            const std::string name = *user != 0 ? user : "made up " + std::to_string(i);
            static_cast<void>(add(network(i / 3), name, later(1 + static_cast<int>(i))));
        }
    }
    EXPECT_TRUE(add(network(7000), "u"));
    std::size_t waiting = 0;
    for (std::uint32_t i = 0; i < 2 * Verifier::most; ++i)
        waiting += add(network(10'000 + i), std::to_string(i), later(1000)) ? 1 : 0;
    EXPECT_LT(waiting, Verifier::most);
    displaced.clear();
    EXPECT_TRUE(add(network(7001), "u"));
    EXPECT_EQ(displaced.size(), 1U);
    EXPECT_TRUE(add(network(7002), "w", later(1000), true));
    EXPECT_EQ(displaced.size(), 2U);
    let_go(Verifier::most);
    EXPECT_EQ(order[0], "w 7002");
    EXPECT_EQ(order[1], "u 7001");
    EXPECT_EQ(order[2], "u 7000");
}

TEST_F(VerifierTest, AmongEqualsTheUserWithTheMostGivesWay) {
    for (std::uint32_t i = 0; i < Verifier::most; ++i)
        EXPECT_TRUE(add(network(i), i < 150 ? "u" : "v"));
    EXPECT_FALSE(add(network(500), "u"));
    EXPECT_TRUE(add(network(500), "w"));
    EXPECT_TRUE(add(network(501), "v"));
    EXPECT_EQ(displaced, (std::vector<std::string>{"u 0", "u 1"}));
    let_go(Verifier::most);
}

TEST_F(VerifierTest, WhatWaitsHasABoundAndIsDroppedAtTheEnd) {
    for (std::uint32_t i = 0; i < Verifier::most; ++i)
        EXPECT_TRUE(add(network(i), std::to_string(i)));
    EXPECT_FALSE(add(network(999), "x"));
    std::thread opener([this] { gate.set_value(); });
    verifier.stop();
    opener.join();
    EXPECT_EQ(verifier.add({.network = network(1), .user = "u", .work = [] {}}),
              Verifier::Place::none);
    EXPECT_TRUE(displaced.empty());
}

TEST_F(VerifierTest, WhatHasNoMemoryIsDroppedAndTheNextIsVerified) {
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = held;
    EXPECT_EQ(verifier.add({.network = network(1),
                            .user = "u",
                            .work = [kept = std::move(held)] { throw std::bad_alloc(); },
                            .displaced = [] {}}),
              Verifier::Place::taken);
    // Its network has guessed, so that it comes after.
    EXPECT_TRUE(add(network(2), "v", base::TimePoint(std::chrono::hours(1))));
    let_go(1);
    EXPECT_TRUE(watched.expired()) << "what waits for an answer is told that there is none";
    EXPECT_EQ(order, (std::vector<std::string>{"v 2"}));
}

}  // namespace
