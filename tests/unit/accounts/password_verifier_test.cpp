// SPDX-License-Identifier: GPL-3.0-or-later
#include "accounts/password_verifier.hpp"

#include <atomic>
#include <future>
#include <vector>

#include <gtest/gtest.h>

using namespace sftdyn;
using accounts::Verifier;

namespace {

base::ClientNetwork network(std::uint32_t number) { return {number, false}; }

/// The first job stands still until it is let go, so that all others wait.
class VerifierTest : public testing::Test {
protected:
    VerifierTest() {
        EXPECT_TRUE(verifier.add({network(1000), "first", true, [this] {
                                      started.set_value();
                                      gate.get_future().wait();
                                  }}));
        started.get_future().wait();
    }
    bool add(std::uint32_t from, const std::string& user, bool clean) {
        return verifier.add({network(from), user, clean, [this, from] {
                                 order.push_back(from);
                                 if (order.size() == expected) done.set_value();
                             }});
    }
    void let_go(std::size_t jobs) {
        expected = jobs;
        gate.set_value();
        done.get_future().wait();
    }

    std::promise<void> started, gate, done;
    std::vector<std::uint32_t> order;
    std::atomic<std::size_t> expected = 0;
    Verifier verifier;  // its thread ends before the rest does
};

TEST_F(VerifierTest, ANetworkHasFewThatWait) {
    for (std::size_t i = 0; i < Verifier::most_of_network; ++i) EXPECT_TRUE(add(1, "u", false));
    EXPECT_FALSE(add(1, "v", false));
    EXPECT_TRUE(add(2, "v", false));
    let_go(Verifier::most_of_network + 1);
}

TEST_F(VerifierTest, AUserHasNotAllOfThem) {
    for (std::uint32_t i = 0; i < Verifier::most_of_user; ++i) EXPECT_TRUE(add(i, "u", false));
    EXPECT_FALSE(add(500, "u", true));
    EXPECT_TRUE(add(500, "v", true));
    let_go(Verifier::most_of_user + 1);
}

TEST_F(VerifierTest, WhoHasGuessedNothingGoesFirst) {
    for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(add(i, "u", false));
    EXPECT_TRUE(add(7, "u", true));
    let_go(4);
    EXPECT_EQ(order, (std::vector<std::uint32_t>{7, 0, 1, 2}));
}

TEST_F(VerifierTest, WhatWaitsHasABoundAndIsDroppedAtTheEnd) {
    for (std::uint32_t i = 0; i < Verifier::most; ++i)
        EXPECT_TRUE(add(i, std::to_string(i), false));
    EXPECT_FALSE(add(999, "x", true));
    std::thread later([this] { gate.set_value(); });
    verifier.stop();
    later.join();
    EXPECT_FALSE(verifier.add({network(1), "u", true, [] {}}));
}

}  // namespace
