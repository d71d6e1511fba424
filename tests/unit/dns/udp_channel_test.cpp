// SPDX-License-Identifier: GPL-3.0-or-later
// Queries over UDP against a server in the same thread. Datagrams keep their order on the loopback,
// so that what came after another tells that the other was read.
#include "dns/udp_channel.hpp"

#include <deque>
#include <optional>
#include <set>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "dns/loopback_server.hpp"
#include "dns/make_answer.hpp"
#include "manual_time.hpp"
#include "names.hpp"

using namespace std::chrono_literals;

namespace sftdyn::dns {
namespace {

namespace asio = boost::asio;

TsigKeyPtr tsig_key(const char* key_name, const char* secret) {
    return std::make_shared<const TsigKey>(
        *TsigKey::make(key_name, "hmac-sha256", base::Secret(secret)));
}

class UdpChannelTest : public testing::Test {
protected:
    struct Asked {
        std::string wire{};
        std::optional<Reply> reply{};
    };

    /// Asks, and reads the datagram unless nobody is there to read it.
    Asked& ask(base::Duration time_left = 60s, const char* for_name = "h.dyn.example.org") {
        Asked& asked = asked_.emplace_back();
        auto request = make_query(channel->fresh_id(), name(for_name), Type::a, key);
        asked.wire = request->wire;
        channel->send(std::move(*request), time->now() + time_left, [&asked](Reply reply) {
            EXPECT_FALSE(asked.reply.has_value()) << "twice";
            asked.reply = std::move(reply);
        });
        return asked;
    }
    /// The next datagram is the one that asks this.
    void expect(const Asked& asked) { EXPECT_EQ(server.datagram(), asked.wire); }
    void answer(const Asked& asked, const AnswerParts& parts = {}) {
        server.send_datagram(make_answer(asked.wire, key, parts));
    }
    /// All that was sent before has been read when this one is answered.
    void settle() {
        Asked& marker = ask(60s, "marker.dyn.example.org");
        while (server.datagram() != marker.wire && !HasFatalFailure()) {
        }
        answer(marker);
        server.until([&] { return marker.reply.has_value(); });
        EXPECT_TRUE(marker.reply->has_value());
    }
    std::optional<ErrorKind> failure(const Asked& asked) {
        if (!asked.reply || asked.reply->has_value()) return std::nullopt;
        return asked.reply->error().kind;
    }

    asio::io_context io;
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    TsigKeyPtr key = tsig_key("k", "c2VjcmV0c2VjcmV0");
    LoopbackServer server{io};
    std::shared_ptr<UdpChannel> channel =
        std::make_shared<UdpChannel>(io, server.datagrams.local_endpoint(), time);
    std::deque<Asked> asked_;

    void TearDown() override {
        channel->close();
        server.poll();
        EXPECT_EQ(time->set(), 0U) << "timers that nobody waits for";
    }
};

TEST_F(UdpChannelTest, EachAnswerGoesToTheQueryWithItsId) {
    Asked& first = ask(60s, "a.dyn.example.org");
    Asked& second = ask(60s, "b.dyn.example.org");
    expect(first);
    expect(second);
    answer(second, {.rcode = KNOT_RCODE_NXDOMAIN});
    server.until([&] { return second.reply.has_value(); });
    EXPECT_FALSE(first.reply.has_value());
    answer(first);
    server.until([&] { return first.reply.has_value(); });
    EXPECT_EQ(first.reply->value().rcode, KNOT_RCODE_NOERROR);
    EXPECT_EQ(second.reply->value().rcode, KNOT_RCODE_NXDOMAIN);
    EXPECT_TRUE(first.reply->value().verified);
}

TEST_F(UdpChannelTest, WhatIsNotAnsweredIsSentAgainAtFirstSoonThenLater) {
    Asked& asked = ask();
    expect(asked);
    for (const auto patience : {400ms, 800ms, 800ms, 800ms}) {
        EXPECT_EQ(time->until_next(), patience);
        time->pass(patience);
        expect(asked);
    }
    answer(asked);
    server.until([&] { return asked.reply.has_value(); });
    EXPECT_TRUE(asked.reply->has_value());
    EXPECT_EQ(time->set(), 0U) << "it is not sent again";
}

TEST_F(UdpChannelTest, ItFailsAtItsDeadlineNotBefore) {
    Asked& shorter = ask(300ms);
    Asked& longer = ask(1s);
    time->pass(299ms);
    EXPECT_FALSE(shorter.reply.has_value());
    time->pass(1ms);
    EXPECT_EQ(failure(shorter), ErrorKind::timeout);
    EXPECT_FALSE(longer.reply.has_value());
    time->pass(699ms);
    EXPECT_FALSE(longer.reply.has_value());
    time->pass(1ms);
    EXPECT_EQ(failure(longer), ErrorKind::timeout);
    EXPECT_EQ(longer.reply->error().server, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(UdpChannelTest, AnAnswerThatComesLateOrTwiceIsNobodys) {
    Asked& late = ask(1s);
    expect(late);
    time->pass(400ms);
    expect(late);
    time->pass(600ms);
    ASSERT_EQ(failure(late), ErrorKind::timeout);
    Asked& other = ask(60s, "other.dyn.example.org");
    expect(other);
    answer(late);
    answer(late);
    settle();
    EXPECT_FALSE(other.reply.has_value());
    answer(other);
    answer(other);
    settle();
    EXPECT_TRUE(other.reply && other.reply->has_value());
}

TEST_F(UdpChannelTest, AnAnswerWithAnotherIdResolvesNothing) {
    Asked& asked = ask();
    expect(asked);
    std::string other = make_answer(asked.wire, key);
    other[0] = static_cast<char>(other[0] ^ 0x55);
    server.send_datagram(other);
    server.send_datagram("");
    server.send_datagram(asked.wire.substr(0, 1));
    settle();
    EXPECT_FALSE(asked.reply.has_value());
    answer(asked);
    server.until([&] { return asked.reply.has_value(); });
    EXPECT_TRUE(asked.reply->has_value());
}

struct BadAnswer {
    const char* name;
    ErrorKind kind;
    bool is_signed;
    bool by_other_key;
    AnswerParts parts;
};

class UdpBadAnswer : public UdpChannelTest, public testing::WithParamInterface<BadAnswer> {};

TEST_P(UdpBadAnswer, IsNotBelievedAndConcernsNobodyElse) {
    Asked& asked = ask();
    Asked& other = ask(60s, "other.dyn.example.org");
    expect(asked);
    expect(other);
    const TsigKeyPtr other_key = tsig_key("k", "b3RoZXJvdGhlcm90");
    const TsigKeyPtr signer = GetParam().by_other_key ? other_key : key;
    server.send_datagram(
        make_answer(asked.wire, GetParam().is_signed ? signer : nullptr, GetParam().parts));
    server.until([&] { return asked.reply.has_value(); });
    EXPECT_EQ(failure(asked), GetParam().kind);
    EXPECT_FALSE(other.reply.has_value());
    answer(other);
    server.until([&] { return other.reply.has_value(); });
    EXPECT_TRUE(other.reply->has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Answers, UdpBadAnswer,
    testing::Values(
        BadAnswer{"Unsigned", ErrorKind::unsigned_answer, false, false, {}},
        BadAnswer{"SignedByAnother", ErrorKind::forged_answer, true, true, {}},
        BadAnswer{"SignedLongAgo", ErrorKind::bad_time, true, false, {.signed_seconds_ago = 3600}},
        BadAnswer{"AQuestion", ErrorKind::malformed, true, false, {.is_question = true}},
        BadAnswer{"ToAnotherName",
                  ErrorKind::malformed,
                  true,
                  false,
                  {.question = question_of(name("other.dyn.example.org"), Type::a)}},
        BadAnswer{"ToAnotherType",
                  ErrorKind::malformed,
                  true,
                  false,
                  {.question = question_of(name("h.dyn.example.org"), Type::aaaa)}},
        BadAnswer{"AnErrorToAnotherName",
                  ErrorKind::malformed,
                  false,
                  false,
                  {.rcode = KNOT_RCODE_REFUSED,
                   .question = question_of(name("other.dyn.example.org"), Type::a)}}),
    [](const auto& row) { return row.param.name; });

TEST_F(UdpChannelTest, AnAnswerFromAnotherAddressIsNotTaken) {
    Asked& asked = ask();
    expect(asked);
    asio::ip::udp::socket stranger(io, {asio::ip::address_v4::loopback(), 0});
    stranger.send_to(asio::buffer(make_answer(asked.wire, key)), server.sender);
    settle();
    EXPECT_FALSE(asked.reply.has_value());
}

TEST_F(UdpChannelTest, AnIdIsNotUsedTwiceAtOnce) {
    std::set<std::uint16_t> ids;
    for (int i = 0; i < 256; ++i) {
        const Asked& asked = ask();
        ids.insert(knot_wire_get_id(reinterpret_cast<const std::uint8_t*>(asked.wire.data())));
    }
    EXPECT_EQ(ids.size(), 256U);
    for (int i = 0; i < 100000; ++i) ASSERT_FALSE(ids.contains(channel->fresh_id()));
}

TEST_F(UdpChannelTest, AClosedPortFailsAllAtOnceAndIsAskedAgain) {
    Asked& first = ask();
    Asked& second = ask();
    expect(first);
    expect(second);
    // The kernel refuses what comes to a socket that is connected to somebody else.
    server.datagrams.connect(server.datagrams.local_endpoint());
    Asked& third = ask();
    server.until([&] { return third.reply.has_value(); });
    for (const Asked* asked : {&first, &second, &third}) {
        EXPECT_EQ(failure(*asked), ErrorKind::unreachable);
        EXPECT_NE(asked->reply->error().detail.find("refused"), std::string::npos);
    }
    EXPECT_EQ(time->set(), 0U) << "nobody waits for a deadline";
    const sockaddr nobody{AF_UNSPEC, {}};
    ASSERT_EQ(connect(server.datagrams.native_handle(), &nobody, sizeof nobody), 0);
    Asked& again = ask();
    expect(again);
    answer(again);
    server.until([&] { return again.reply.has_value(); });
    EXPECT_TRUE(again.reply->has_value());
}

TEST_F(UdpChannelTest, WhereNoWayLeadsItIsSaidAfterTheCall) {
    // The kernel connects no socket to it that was not made for broadcasts.
    const auto nowhere = std::make_shared<UdpChannel>(
        io, asio::ip::udp::endpoint(asio::ip::address_v4::broadcast(), server.port()), time);
    std::optional<Reply> reply;
    auto request = make_query(nowhere->fresh_id(), name("h.dyn.example.org"), Type::a, key);
    nowhere->send(std::move(*request), time->now() + 60s, [&](Reply told) { reply = told; });
    EXPECT_FALSE(reply.has_value()) << "from within the call";
    server.until([&] { return reply.has_value(); });
    EXPECT_EQ(reply->error().kind, ErrorKind::unreachable);
}

TEST_F(UdpChannelTest, AtItsEndWhatIsUnderWayFails) {
    Asked& first = ask();
    Asked& second = ask();
    channel->close();
    EXPECT_EQ(failure(first), ErrorKind::connection);
    EXPECT_EQ(failure(second), ErrorKind::connection);
    EXPECT_EQ(time->set(), 0U);
}

}  // namespace
}  // namespace sftdyn::dns
