// SPDX-License-Identifier: GPL-3.0-or-later
// How far a message got, as the channel tells it, against a server in the same thread that does
// what the test says.
#include "dns/tcp_channel.hpp"

#include <array>
#include <deque>
#include <optional>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "dns/knot.hpp"

using namespace std::chrono_literals;

namespace sftdyn::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class TcpChannelTest : public testing::Test {
protected:
    struct Told {
        std::optional<Reply> reply{};
        Delivery delivery{};
        unsigned late = 0;
        unsigned late_connection = 0;
    };

    /// Unsigned: what comes back needs no signature either.
    Told& send(base::Duration time, base::Duration send_time = 60s) {
        Told& told = told_.emplace_back();
        auto request = make_query(channel->fresh_id(), Name::parse("dyn.example.org").value(),
                                  Type::soa, nullptr);
        ids.push_back(request->id);
        const auto now = base::Clock::now();
        channel->send(
            std::move(*request), now + send_time, now + time,
            [&told](Reply reply, Delivery delivery) {
                EXPECT_FALSE(told.reply.has_value()) << "twice";
                told.reply = std::move(reply);
                told.delivery = delivery;
            },
            [&told](const Answer&, unsigned connection) {
                ++told.late;
                told.late_connection = connection;
            });
        return told;
    }
    /// Runs until that is so.
    template <class Condition>
    void until(const Condition& condition) {
        io.restart();
        while (!condition()) ASSERT_GT(io.run_one_for(20s), 0U);
    }
    void accept() {
        peer = tcp::socket(io);
        bool there = false;
        acceptor.async_accept(peer, [&there](boost::system::error_code error) { there = !error; });
        until([&there] { return there; });
    }
    /// The next message that has come.
    std::string read() {
        std::array<unsigned char, 2> head{};
        std::string wire;
        bool done = false;
        asio::async_read(peer, asio::buffer(head), [&](boost::system::error_code, std::size_t) {
            wire.resize(static_cast<std::size_t>(head[0] << 8 | head[1]));
            asio::async_read(peer, asio::buffer(wire),
                             [&](boost::system::error_code, std::size_t) { done = true; });
        });
        until([&done] { return done; });
        return wire;
    }
    void answer(std::string wire) {
        knot_wire_set_qr(reinterpret_cast<std::uint8_t*>(wire.data()));
        const std::string frame = {static_cast<char>(wire.size() >> 8),
                                   static_cast<char>(wire.size() & 0xff)};
        asio::write(peer, asio::buffer(frame + wire));
    }

    asio::io_context io;
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    tcp::socket peer{io};
    std::shared_ptr<TcpChannel> channel =
        std::make_shared<TcpChannel>(io, acceptor.local_endpoint());
    std::deque<Told> told_;
    std::vector<std::uint16_t> ids;

    void TearDown() override {
        channel->close();
        io.restart();
        io.poll();
    }
};

TEST_F(TcpChannelTest, AnAnswerEndsIt) {
    Told& told = send(60s);
    accept();
    answer(read());
    until([&] { return told.reply.has_value(); });
    EXPECT_TRUE(told.reply->has_value());
    EXPECT_EQ(told.delivery.state, DeliveryState::answered);
    EXPECT_GT(told.delivery.connection, 0U);
}

TEST_F(TcpChannelTest, WhatIsNotAnsweredInTimeIsInDoubtAndItsLateAnswerIsTold) {
    Told& slow = send(50ms);
    accept();
    const std::string first = read();
    until([&] { return slow.reply.has_value(); });
    EXPECT_EQ(slow.reply->error().kind, ErrorKind::timeout);
    EXPECT_EQ(slow.delivery.state, DeliveryState::in_doubt);
    Told& quick = send(60s);
    const std::string second = read();
    answer(first);  // breaks nobody else's
    answer(second);
    until([&] { return quick.reply.has_value(); });
    EXPECT_EQ(quick.delivery.state, DeliveryState::answered);
    EXPECT_EQ(slow.late, 1U);
    EXPECT_EQ(slow.late_connection, slow.delivery.connection);
}

TEST_F(TcpChannelTest, TheIdOfWhatWasGivenUpIsNotUsedAgain) {
    Told& slow = send(20ms);
    accept();
    read();
    until([&] { return slow.reply.has_value(); });
    for (int i = 0; i < 100000; ++i) ASSERT_NE(channel->fresh_id(), ids.front());
}

TEST_F(TcpChannelTest, AnEndAfterItWasSentLeavesItInDoubt) {
    Told& told = send(60s);
    accept();
    read();
    peer.close();
    until([&] { return told.reply.has_value(); });
    EXPECT_EQ(told.reply->error().kind, ErrorKind::connection);
    EXPECT_EQ(told.delivery.state, DeliveryState::in_doubt);
    Told& next = send(60s);
    accept();
    answer(read());
    until([&] { return next.reply.has_value(); });
    EXPECT_NE(next.delivery.connection, told.delivery.connection);
}

TEST_F(TcpChannelTest, WhereNothingListensNothingWasSent) {
    acceptor.close();
    Told& told = send(60s);
    until([&] { return told.reply.has_value(); });
    EXPECT_EQ(told.reply->error().kind, ErrorKind::unreachable);
    EXPECT_EQ(told.delivery.state, DeliveryState::unsent);
}

TEST_F(TcpChannelTest, AnAnswerThatNobodyAskedForEndsTheConnectionAndResolvesNothing) {
    Told& told = send(60s);
    accept();
    std::string wire = read();
    wire[0] = static_cast<char>(wire[0] ^ 0x55);
    answer(wire);
    until([&] { return told.reply.has_value(); });
    EXPECT_EQ(told.reply->error().kind, ErrorKind::malformed);
    EXPECT_EQ(told.delivery.state, DeliveryState::in_doubt);
    EXPECT_EQ(told.late, 0U);
}

TEST_F(TcpChannelTest, AConnectionIsEndedWhenItIsSilentNotWhenItIsIdle) {
    Told& told = send(60s);
    accept();
    answer(read());
    until([&] { return told.reply.has_value(); });
    asio::steady_timer idle(io, 1s);
    idle.wait();
    Told& next = send(60s);
    read();
    channel->end_if_silent(1s);
    EXPECT_FALSE(next.reply.has_value()) << "it was idle before";
    idle.expires_after(1s);
    idle.wait();
    channel->end_if_silent(1s);
    until([&] { return next.reply.has_value(); });
    EXPECT_EQ(next.delivery.state, DeliveryState::in_doubt);
    channel->end_if_silent(0ms);  // there is none
}

}  // namespace
}  // namespace sftdyn::dns
