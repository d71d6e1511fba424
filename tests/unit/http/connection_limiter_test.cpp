// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/connection_limiter.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

using sftdyn::http::ConnectionLimiter;

namespace {

boost::asio::ip::address address(const char* text) { return boost::asio::ip::make_address(text); }

TEST(ConnectionLimiter, AsManyAsThereMayBe) {
    ConnectionLimiter limiter(2, 100);
    auto first = limiter.enter();
    const auto second = limiter.enter();
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(limiter.has_capacity());
    EXPECT_FALSE(limiter.enter());
    EXPECT_EQ(limiter.count(), 2U);
    first->give_up();
    EXPECT_TRUE(limiter.enter());
}

TEST(ConnectionLimiter, ThreadsPassTheLimitNever) {
    constexpr std::size_t most = 3;
    ConnectionLimiter limiter(most, 100);
    std::atomic<std::size_t> there = 0, worst = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20'000; ++round) {
                const auto ticket = limiter.enter();
                if (!ticket) continue;
                const std::size_t now = there.fetch_add(1) + 1;
                if (std::size_t seen = worst.load(); now > seen)
                    worst.compare_exchange_strong(seen, now);
                there.fetch_sub(1);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(worst.load(), most);
    EXPECT_EQ(limiter.count(), 0U);
}

TEST(ConnectionLimiter, ANeighbourWhoMayBeAProxyHasMoreButNotAll) {
    ConnectionLimiter limiter(100, 1, 3);
    std::vector<ConnectionLimiter::Ticket> tickets;
    const auto count = [&](const char* client) {
        tickets.push_back(std::move(*limiter.enter()));
        return tickets.back().count_for(address(client));
    };
    for (const char* neighbour : {"127.0.0.1", "10.0.0.1", "100.64.0.1", "::1", "fd00::1"}) {
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(count(neighbour)) << neighbour << i;
        EXPECT_FALSE(count(neighbour)) << neighbour;
    }
    for (const char* stranger : {"192.0.2.1", "2001:db8::1"}) {
        EXPECT_TRUE(count(stranger)) << stranger;
        EXPECT_FALSE(count(stranger)) << stranger;
    }
}

TEST(ConnectionLimiter, AClientHasSoMany) {
    ConnectionLimiter limiter(100, 2);
    auto first = limiter.enter(), second = limiter.enter(), third = limiter.enter();
    ASSERT_TRUE(first && second && third);
    EXPECT_TRUE(first->count_for(address("2001:db8::1")));
    EXPECT_TRUE(second->count_for(address("2001:db8::2")));
    EXPECT_FALSE(third->count_for(address("2001:db8::3"))) << "of one network";
    EXPECT_TRUE(third->count_for(address("2001:db8:0:1::3")));
    first->give_up();
    auto fourth = limiter.enter();
    ASSERT_TRUE(fourth);
    EXPECT_TRUE(fourth->count_for(address("2001:db8::4")));
}

}  // namespace
