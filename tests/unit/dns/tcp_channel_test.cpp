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
#include <boost/asio/write.hpp>

#include "dns/knot.hpp"
#include "manual_time.hpp"

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
    Told& send(base::Duration time_left, base::Duration send_time = 60s) {
        Told& told = told_.emplace_back();
        auto request = make_query(channel->fresh_id(), Name::parse("dyn.example.org").value(),
                                  Type::soa, nullptr);
        ids.push_back(request->id);
        const auto now = time->now();
        channel->send(
            std::move(*request), now + send_time, now + time_left,
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
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    tcp::socket peer{io};
    std::shared_ptr<TcpChannel> channel =
        std::make_shared<TcpChannel>(io, acceptor.local_endpoint(), time);
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
    Told& slow = send(1s);
    accept();
    const std::string first = read();
    time->pass(999ms);
    EXPECT_FALSE(slow.reply.has_value());
    time->pass(1ms);
    ASSERT_TRUE(slow.reply.has_value());
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
    Told& slow = send(1s);
    accept();
    read();
    time->pass(1s);
    ASSERT_TRUE(slow.reply.has_value());
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
    time->pass(1s);
    Told& next = send(60s);
    read();
    channel->end_if_silent(1s);
    EXPECT_FALSE(next.reply.has_value()) << "it was idle before";
    time->pass(1s);
    channel->end_if_silent(1s);
    until([&] { return next.reply.has_value(); });
    EXPECT_EQ(next.delivery.state, DeliveryState::in_doubt);
    channel->end_if_silent(0ms);  // there is none
}

TEST_F(TcpChannelTest, WhatIsAnsweredTwiceEndsTheConnectionAndResolvesNothing) {
    Told& first = send(60s);
    Told& second = send(60s);
    accept();
    const std::string wire = read();
    read();
    answer(wire);
    answer(wire);
    until([&] { return second.reply.has_value(); });
    EXPECT_EQ(first.delivery.state, DeliveryState::answered);
    EXPECT_EQ(second.reply->error().kind, ErrorKind::malformed);
    EXPECT_EQ(second.delivery.state, DeliveryState::in_doubt);
    EXPECT_EQ(first.late + second.late, 0U);
}

TEST_F(TcpChannelTest, AnEndLeavesInDoubtWhatWasSentAndNothingElse) {
    Told& first = send(60s);
    Told& second = send(60s);
    accept();
    read();
    read();
    Told& third = send(60s);
    read();
    peer.close();
    until([&] { return third.reply.has_value(); });
    for (const Told* told : {&first, &second, &third}) {
        ASSERT_TRUE(told->reply.has_value());
        EXPECT_EQ(told->delivery.state, DeliveryState::in_doubt);
        EXPECT_EQ(told->delivery.connection, first.delivery.connection);
    }
    EXPECT_EQ(time->set(), 0U);
}

TEST_F(TcpChannelTest, AnEndInTheMiddleOfAnAnswerLeavesItInDoubt) {
    Told& told = send(60s);
    accept();
    std::string wire = read();
    knot_wire_set_qr(reinterpret_cast<std::uint8_t*>(wire.data()));
    asio::write(peer, asio::buffer(std::string{'\0', static_cast<char>(wire.size())} +
                                   wire.substr(0, wire.size() - 1)));
    peer.close();
    until([&] { return told.reply.has_value(); });
    EXPECT_EQ(told.reply->error().kind, ErrorKind::connection);
    EXPECT_EQ(told.delivery.state, DeliveryState::in_doubt);
}

TEST_F(TcpChannelTest, WhatAnEarlierConnectionOwesIsNotTakenFromTheNext) {
    Told& told = send(1s);
    accept();
    const std::string wire = read();
    time->pass(1s);
    ASSERT_TRUE(told.reply.has_value());
    channel->close();
    Told& next = send(60s);
    accept();
    read();
    answer(wire);
    until([&] { return next.reply.has_value(); });
    EXPECT_EQ(told.late, 0U);
    EXPECT_EQ(next.reply->error().kind, ErrorKind::malformed);
}

TEST_F(TcpChannelTest, ALateAnswerIsToldOnce) {
    Told& told = send(1s);
    accept();
    const std::string wire = read();
    time->pass(1s);
    Told& next = send(60s);
    read();
    answer(wire);
    answer(wire);
    until([&] { return next.reply.has_value(); });
    EXPECT_EQ(told.late, 1U);
    EXPECT_EQ(next.delivery.state, DeliveryState::in_doubt)
        << "the second is one that nobody asked for";
}

TEST_F(TcpChannelTest, AConnectionThatIsNotMadeInTimeLeavesNothingInDoubt) {
    Told& told = send(60s, 1s);
    time->pass(999ms);
    EXPECT_FALSE(told.reply.has_value());
    time->pass(1ms);
    ASSERT_TRUE(told.reply.has_value());
    EXPECT_EQ(told.delivery.state, DeliveryState::unsent);
    EXPECT_EQ(told.reply->error().kind, ErrorKind::timeout);
    EXPECT_NE(told.reply->error().detail.find("could not be made"), std::string::npos);
    Told& next = send(60s);
    accept();
    accept();  // the first was the one that was given up
    answer(read());
    until([&] { return next.reply.has_value(); });
    EXPECT_EQ(next.delivery.state, DeliveryState::answered);
}

TEST_F(TcpChannelTest, WhatAConnectionDoesNotTakeIsNotSent) {
    const std::string large(60000, 'x');
    std::vector<Told*> all;
    const auto send_large = [&] {
        Told& told = told_.emplace_back();
        UpdateMessage message;
        message.updates.push_back({Name::parse("h.dyn.example.org").value(), static_cast<Type>(16),
                                   UpdateRecord::Class::in, 30, large});
        auto request = make_update(channel->fresh_id(), Name::parse("dyn.example.org").value(),
                                   message, nullptr);
        channel->send(std::move(*request), time->now() + 1s, time->now() + 60s,
                      [&told](Reply reply, Delivery delivery) {
                          told.reply = std::move(reply);
                          told.delivery = delivery;
                      });
        all.push_back(&told);
    };
    send_large();
    accept();
    // More than the buffers of both sides hold.
    for (int i = 0; i < 400; ++i) send_large();
    io.restart();
    io.poll();
    time->pass(1s);
    EXPECT_FALSE(all.front()->reply.has_value()) << "it was sent, and has its time";
    ASSERT_TRUE(all.back()->reply.has_value());
    EXPECT_EQ(all.back()->delivery.state, DeliveryState::unsent);
    EXPECT_NE(all.back()->reply->error().detail.find("takes nothing"), std::string::npos);
    time->pass(59s);
    ASSERT_TRUE(all.front()->reply.has_value());
    EXPECT_EQ(all.front()->delivery.state, DeliveryState::in_doubt);
}

TEST_F(TcpChannelTest, AConnectionOnWhichMuchIsNeverAnsweredIsNotKept) {
    Told& first = send(1s);
    accept();
    constexpr int most = 16384;
    for (int i = 1; i < most - 1; ++i) send(1s);
    io.restart();
    io.poll();
    time->pass(1s);
    EXPECT_TRUE(first.reply.has_value());
    Told& last = send(1s);
    io.restart();
    io.poll();
    time->pass(1s);
    EXPECT_EQ(last.delivery.connection, first.delivery.connection);
    Told& next = send(60s);
    accept();
    answer(read());
    until([&] { return next.reply.has_value(); });
    EXPECT_NE(next.delivery.connection, first.delivery.connection);
}

TEST_F(TcpChannelTest, AConnectionThatHearsSomethingIsNotSilent) {
    Told& told = send(60s);
    accept();
    const std::string wire = read();
    Told& other = send(60s);
    const std::string second = read();
    time->pass(9s);
    answer(wire);
    until([&] { return told.reply.has_value(); });
    time->pass(9s);
    channel->end_if_silent();
    EXPECT_FALSE(other.reply.has_value());
    time->pass(1s);
    channel->end_if_silent();
    ASSERT_TRUE(other.reply.has_value());
    EXPECT_EQ(other.delivery.state, DeliveryState::in_doubt);
}

/// How many octets come at once.
class TcpPieces : public TcpChannelTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(TcpPieces, AnswersAreReadWhereverTheyAreCut) {
    Told& first = send(60s);
    Told& second = send(60s);
    accept();
    std::string stream;
    for (std::string wire : {read(), read()}) {
        knot_wire_set_qr(reinterpret_cast<std::uint8_t*>(wire.data()));
        stream += std::string{static_cast<char>(wire.size() >> 8), static_cast<char>(wire.size())};
        stream += wire;
    }
    for (std::size_t at = 0; at < stream.size(); at += GetParam()) {
        EXPECT_FALSE(second.reply.has_value()) << at;
        asio::write(peer, asio::buffer(stream.substr(at, GetParam())));
        io.restart();
        io.poll();
    }
    until([&] { return second.reply.has_value(); });
    EXPECT_EQ(first.delivery.state, DeliveryState::answered);
    EXPECT_EQ(second.delivery.state, DeliveryState::answered);
}

// The header, its message and both of them: 2, 33 and 35 octets.
INSTANTIATE_TEST_SUITE_P(Sizes, TcpPieces, testing::Range<std::size_t>(1, 72));

}  // namespace
}  // namespace sftdyn::dns
