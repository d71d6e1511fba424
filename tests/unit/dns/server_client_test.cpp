// SPDX-License-Identifier: GPL-3.0-or-later
// What is asked of a server, and how it is told, against sockets in the same thread.
#include "dns/server_client.hpp"

#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>

#include "dns/loopback_server.hpp"
#include "dns/make_answer.hpp"
#include "manual_time.hpp"
#include "names.hpp"

using namespace std::chrono_literals;
using testing::HasSubstr;

namespace sftdyn::dns {
namespace {

using Sent = DeliveryState;

class ServerClientTest : public testing::Test {
protected:
    struct Told {
        std::optional<Reply> reply{};
        Delivery delivery{};
        std::vector<Reply> late{};
        unsigned late_connection = 0;
    };

    ServerClientTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "server-client-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        write_key("c2VjcmV0c2VjcmV0");
        client = make_client({});
    }
    ~ServerClientTest() override { std::filesystem::remove_all(folder); }
    void TearDown() override {
        client->close();
        server.poll();
        EXPECT_EQ(time->set(), 0U);
    }

    void write_key(const std::string& secret) {
        std::ofstream(folder / "next")
            << "key \"k\" { algorithm hmac-sha256; secret \"" << secret << "\"; };\n";
        std::filesystem::rename(folder / "next", folder / "key");
        key = std::make_shared<const TsigKey>(
            *TsigKey::make("k", "hmac-sha256", base::Secret(secret)));
    }
    std::shared_ptr<ServerClient> make_client(const ServerOptions& options) {
        return std::make_shared<ServerClient>(
            io, ServerAddress{boost::asio::ip::address_v4::loopback(), server.port()},
            std::make_shared<TsigKeyProvider>(std::vector{(folder / "key").string()}), options,
            time);
    }
    Told& query(base::Duration time_left = 60s) {
        Told& told = told_.emplace_back();
        client->query(name("h.dyn.example.org"), Type::a, time->now() + time_left,
                      [&told](Reply reply) {
                          EXPECT_FALSE(told.reply.has_value()) << "twice";
                          told.reply = std::move(reply);
                      });
        EXPECT_FALSE(told.reply.has_value()) << "from within the call";
        return told;
    }
    Told& update(base::Duration time_left = 60s, const UpdateContent& content = UpdateMessage{}) {
        Told& told = told_.emplace_back();
        client->update(
            name("dyn.example.org"), content, time->now() + time_left, time->now() + time_left,
            [&told](Reply reply, Delivery delivery) {
                EXPECT_FALSE(told.reply.has_value()) << "twice";
                told.reply = std::move(reply);
                told.delivery = delivery;
            },
            [&told](Reply reply, unsigned connection) {
                told.late.push_back(std::move(reply));
                told.late_connection = connection;
            });
        EXPECT_FALSE(told.reply.has_value()) << "from within the call";
        return told;
    }
    void await(const Told& told) {
        server.until([&] { return told.reply.has_value(); });
    }
    /// What is before the message on the connection has been read when it is answered.
    void settle() {
        Told& marker = update();
        server.send_message(make_answer(server.message(), key));
        await(marker);
        EXPECT_EQ(marker.delivery.state, Sent::answered);
    }
    std::optional<ErrorKind> failure(const Told& told) {
        if (!told.reply || told.reply->has_value()) return std::nullopt;
        return told.reply->error().kind;
    }
    static std::uint8_t opcode(const std::string& wire) {
        return knot_wire_get_opcode(reinterpret_cast<const std::uint8_t*>(wire.data()));
    }

    boost::asio::io_context io;
    std::shared_ptr<ManualTime> time = std::make_shared<ManualTime>();
    std::filesystem::path folder;
    TsigKeyPtr key;
    LoopbackServer server{io};
    std::shared_ptr<ServerClient> client;
    std::deque<Told> told_;
};

TEST_F(ServerClientTest, ItsNameIsItsAddress) {
    EXPECT_EQ(client->name(), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(text_of({boost::asio::ip::make_address("2001:db8::1"), 53}), "[2001:db8::1]:53");
    EXPECT_EQ(text_of({boost::asio::ip::make_address("192.0.2.1"), 5300}), "192.0.2.1:5300");
}

TEST_F(ServerClientTest, AQueryGoesOverUdpSigned) {
    Told& told = query();
    const std::string wire = server.datagram();
    EXPECT_EQ(opcode(wire), KNOT_OPCODE_QUERY);
    EXPECT_FALSE(mac_of(wire).empty());
    server.send_datagram(
        make_answer(wire, key, {.answers = {{name("h.dyn.example.org"), Type::a, 30, "abcd"}}}));
    await(told);
    ASSERT_TRUE(told.reply->has_value()) << told.reply->error().text();
    EXPECT_EQ(told.reply->value().answers.at(0).rdata, "abcd");
}

TEST_F(ServerClientTest, AnErrorCodeOfAQueryIsNoFailure) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), key, {.rcode = KNOT_RCODE_REFUSED}));
    await(told);
    EXPECT_EQ(told.reply->value().rcode, KNOT_RCODE_REFUSED);
}

TEST_F(ServerClientTest, WhatIsTruncatedIsAskedAgainOverTcp) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), key, {.truncated = true}));
    server.accept();
    EXPECT_FALSE(told.reply.has_value());
    const std::string wire = server.message();
    EXPECT_EQ(opcode(wire), KNOT_OPCODE_QUERY);
    server.send_message(
        make_answer(wire, key, {.answers = {{name("h.dyn.example.org"), Type::a, 30, "abcd"}}}));
    await(told);
    EXPECT_EQ(told.reply->value().answers.size(), 1U);
}

TEST_F(ServerClientTest, WhatIsTruncatedOverTcpIsNotAskedForEver) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), key, {.truncated = true}));
    server.accept();
    server.send_message(make_answer(server.message(), key, {.truncated = true}));
    await(told);
    EXPECT_TRUE(told.reply->value().truncated);
}

TEST_F(ServerClientTest, ATruncatedAnswerThatIsNotSignedIsNotBelieved) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), nullptr, {.truncated = true}));
    await(told);
    EXPECT_EQ(failure(told), ErrorKind::unsigned_answer);
}

TEST_F(ServerClientTest, TheDeadlineHoldsOverBothWays) {
    Told& told = query(1s);
    server.send_datagram(make_answer(server.datagram(), key, {.truncated = true}));
    server.accept();
    server.message();
    time->pass(999ms);
    EXPECT_FALSE(told.reply.has_value());
    time->pass(1ms);
    EXPECT_EQ(failure(told), ErrorKind::timeout);
}

TEST_F(ServerClientTest, WhereDatagramsAreLostQueriesGoOverTcp) {
    Told& told = query();
    for (const auto patience : {400ms, 800ms}) {
        server.datagram();
        EXPECT_FALSE(told.reply.has_value());
        time->pass(patience);
    }
    server.accept();
    server.send_message(make_answer(server.message(), key));
    await(told);
    EXPECT_TRUE(told.reply->has_value());
    // So do the others for a minute.
    Told& next = query();
    server.send_message(make_answer(server.message(), key));
    await(next);
    time->pass(60s);
    Told& later = query();
    server.send_datagram(make_answer(server.datagram(), key));
    await(later);
    EXPECT_TRUE(later.reply->has_value());
}

TEST_F(ServerClientTest, WhereDatagramsAloneAreAnsweredThatIsSaid) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), key));
    await(told);
    server.acceptor.close();
    Told& refused = update();
    await(refused);
    EXPECT_EQ(refused.delivery.state, Sent::unsent);
    EXPECT_EQ(failure(refused), ErrorKind::unreachable);
    EXPECT_THAT(refused.reply->error().detail, HasSubstr("UDP is answered, TCP is not"));
}

TEST_F(ServerClientTest, AServerThatHasTakenTcpIsDown) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), key));
    await(told);
    Told& taken = update();
    server.accept();
    server.send_message(make_answer(server.message(), key));
    await(taken);
    server.peer.close();
    server.acceptor.close();
    server.poll();
    Told& refused = update();
    await(refused);
    EXPECT_THAT(refused.reply->error().detail, testing::Not(HasSubstr("UDP")));
}

TEST_F(ServerClientTest, NotauthWithoutASignatureIsAboutTheKey) {
    Told& told = query();
    server.send_datagram(make_answer(server.datagram(), nullptr, {.rcode = KNOT_RCODE_NOTAUTH}));
    await(told);
    EXPECT_EQ(failure(told), ErrorKind::bad_key);
    EXPECT_THAT(told.reply->error().detail, HasSubstr("does not take our key"));
}

TEST_F(ServerClientTest, QueriesAloneMayGoUnsigned) {
    client->close();
    client = make_client({.sign_queries = false});
    Told& told = query();
    const std::string wire = server.datagram();
    EXPECT_TRUE(mac_of(wire).empty());
    server.send_datagram(make_answer(wire, nullptr));
    await(told);
    EXPECT_TRUE(told.reply->has_value());
    Told& changed = update();
    server.accept();
    const std::string signed_wire = server.message();
    EXPECT_FALSE(mac_of(signed_wire).empty());
    server.send_message(make_answer(signed_wire, key));
    await(changed);
    EXPECT_TRUE(changed.reply->has_value());
}

TEST_F(ServerClientTest, WhereOnlyTcpIsWantedNoDatagramGoesOut) {
    client->close();
    client = make_client({.tcp_only = true});
    Told& told = query();
    server.accept();
    server.send_message(make_answer(server.message(), key));
    await(told);
    EXPECT_TRUE(told.reply->has_value());
    server.datagrams.non_blocking(true);
    EXPECT_EQ(server.datagrams.available(), 0U);
}

TEST_F(ServerClientTest, ALateAnswerToAQueryOverTcpBreaksNothing) {
    client->close();
    client = make_client({.tcp_only = true});
    Told& late = query(1s);
    server.accept();
    const std::string wire = server.message();
    time->pass(1s);
    EXPECT_EQ(failure(late), ErrorKind::timeout);
    server.send_message(make_answer(wire, key));
    settle();
}

TEST_F(ServerClientTest, AQueryDoesNotGoOverAConnectionThatIsSilent) {
    client->close();
    client = make_client({.tcp_only = true});
    Told& first = query();
    server.accept();
    server.message();
    time->pass(TcpChannel::longest_silence);
    Told& second = query();
    EXPECT_EQ(failure(first), ErrorKind::timeout);
    server.accept();
    server.send_message(make_answer(server.message(), key));
    await(second);
    EXPECT_TRUE(second.reply->has_value());
}

TEST_F(ServerClientTest, AnUpdateGoesOverTcpSigned) {
    Told& told = update();
    server.accept();
    const std::string wire = server.message();
    EXPECT_EQ(opcode(wire), KNOT_OPCODE_UPDATE);
    EXPECT_FALSE(mac_of(wire).empty());
    server.send_message(make_answer(wire, key));
    await(told);
    ASSERT_TRUE(told.reply->has_value()) << told.reply->error().text();
    EXPECT_EQ(told.delivery.state, Sent::answered);
}

TEST_F(ServerClientTest, AnErrorCodeOfAnUpdateIsAFailure) {
    Told& told = update();
    server.accept();
    server.send_message(make_answer(server.message(), key, {.rcode = KNOT_RCODE_REFUSED}));
    await(told);
    EXPECT_EQ(failure(told), ErrorKind::rcode);
    EXPECT_EQ(told.reply->error().rcode, KNOT_RCODE_REFUSED);
    EXPECT_THAT(told.reply->error().detail, HasSubstr("the UPDATE of zone dyn.example.org"));
    EXPECT_EQ(told.delivery.state, Sent::answered) << "the server has done nothing, and says so";
}

TEST_F(ServerClientTest, AnUpdateWithoutAnAnswerIsInDoubtUntilItComes) {
    Told& told = update(1s);
    server.accept();
    const std::string wire = server.message();
    time->pass(1s);
    EXPECT_EQ(failure(told), ErrorKind::timeout);
    EXPECT_EQ(told.delivery.state, Sent::in_doubt);
    EXPECT_TRUE(told.late.empty());
    server.send_message(make_answer(wire, key));
    settle();
    ASSERT_EQ(told.late.size(), 1U);
    EXPECT_TRUE(told.late[0].has_value());
    EXPECT_EQ(told.late_connection, told.delivery.connection);
}

TEST_F(ServerClientTest, ALateRefusalIsAFailure) {
    Told& told = update(1s);
    server.accept();
    const std::string wire = server.message();
    time->pass(1s);
    server.send_message(make_answer(wire, key, {.rcode = KNOT_RCODE_NOTAUTH}));
    settle();
    ASSERT_EQ(told.late.size(), 1U);
    EXPECT_EQ(told.late[0].error().rcode, KNOT_RCODE_NOTAUTH);
}

struct Unbelievable {
    const char* name;
    bool is_signed;
    bool by_other_key;
    AnswerParts parts;
};

class UnbelievableAnswer : public ServerClientTest,
                           public testing::WithParamInterface<Unbelievable> {
protected:
    std::string answer(const std::string& wire) {
        const auto other = std::make_shared<const TsigKey>(
            *TsigKey::make("k", "hmac-sha256", base::Secret("b3RoZXJvdGhlcm90")));
        const TsigKeyPtr signer = GetParam().by_other_key ? other : key;
        return make_answer(wire, GetParam().is_signed ? signer : nullptr, GetParam().parts);
    }
};

TEST_P(UnbelievableAnswer, LeavesTheUpdateInDoubtAndConcernsNoOther) {
    Told& told = update();
    server.accept();
    const std::string wire = server.message();
    Told& other = update();
    const std::string other_wire = server.message();
    server.send_message(answer(wire));
    await(told);
    EXPECT_TRUE(told.reply->has_error());
    EXPECT_EQ(told.delivery.state, Sent::in_doubt);
    EXPECT_FALSE(other.reply.has_value());
    server.send_message(make_answer(other_wire, key));
    await(other);
    EXPECT_EQ(other.delivery.state, Sent::answered);
    EXPECT_TRUE(told.late.empty());
    server.send_message(make_answer(wire, key));
    settle();
    EXPECT_EQ(told.late.size(), 1U) << "the true answer may still come";
}

TEST_P(UnbelievableAnswer, ResolvesNothingWhenItComesLate) {
    Told& told = update(1s);
    server.accept();
    const std::string wire = server.message();
    time->pass(1s);
    server.send_message(answer(wire));
    settle();
    EXPECT_TRUE(told.late.empty());
    server.send_message(make_answer(wire, key));
    settle();
    EXPECT_EQ(told.late.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, UnbelievableAnswer,
    testing::Values(Unbelievable{"Unsigned", false, false, {}},
                    Unbelievable{"AnErrorUnsigned", false, false, {.rcode = KNOT_RCODE_REFUSED}},
                    Unbelievable{"SignedByAnother", true, true, {}},
                    Unbelievable{"SignedLongAgo", true, false, {.signed_seconds_ago = 3600}},
                    Unbelievable{"AQuestion", true, false, {.is_question = true}}),
    [](const auto& row) { return row.param.name; });

TEST_F(ServerClientTest, AnAnswerToAnotherUpdateResolvesNothing) {
    Told& told = update();
    server.accept();
    const std::string wire = server.message();
    std::string replayed = make_answer(wire, key);
    server.send_message(replayed);
    await(told);
    Told& next = update();
    const std::string next_wire = server.message();
    replayed.replace(0, 2, next_wire.substr(0, 2));
    server.send_message(replayed);
    await(next);
    EXPECT_EQ(failure(next), ErrorKind::forged_answer);
    EXPECT_EQ(next.delivery.state, Sent::in_doubt);
}

TEST_F(ServerClientTest, ARefusedConnectionIsToldAtOnceAndNothingIsInDoubt) {
    const auto endpoint = server.acceptor.local_endpoint();
    server.acceptor.close();
    // It has the port, so that nobody else listens there.
    boost::asio::ip::tcp::socket holder(io, endpoint.protocol());
    holder.set_option(boost::asio::socket_base::reuse_address(true));
    holder.bind(endpoint);
    Told& told = update();
    await(told);
    EXPECT_EQ(failure(told), ErrorKind::unreachable);
    EXPECT_THAT(told.reply->error().detail, HasSubstr("refused"));
    EXPECT_EQ(told.delivery.state, Sent::unsent);
}

TEST_F(ServerClientTest, WithoutAKeyNothingIsSent) {
    std::filesystem::remove(folder / "key");
    Told& asked = query();
    Told& told = update();
    await(asked);
    await(told);
    for (const Told* one : {&asked, &told}) {
        EXPECT_EQ(failure(*one), ErrorKind::key_file);
        EXPECT_EQ(one->reply->error().server, (folder / "key").string());
    }
    EXPECT_EQ(told.delivery.state, Sent::unsent);
    EXPECT_EQ(time->set(), 0U);
}

TEST_F(ServerClientTest, TheKeyIsTheOneThatTheFileHoldsNow) {
    write_key("b3RoZXJvdGhlcm90");
    Told& told = update();
    server.accept();
    server.send_message(make_answer(server.message(), key));
    await(told);
    EXPECT_EQ(told.delivery.state, Sent::answered);
}

TEST_F(ServerClientTest, AnUpdateThatIsTooLargeIsNotSent) {
    UpdateMessage message;
    message.updates.assign(2, {name("h.dyn.example.org"), static_cast<Type>(16),
                               UpdateRecord::Class::in, 30, std::string(60000, 'x')});
    Told& told = update(60s, message);
    await(told);
    EXPECT_THAT(told.reply->error().detail, HasSubstr("does not fit"));
    EXPECT_EQ(told.delivery.state, Sent::unsent);
}

TEST_F(ServerClientTest, AtItsEndWhatIsUnderWayFailsAndNothingFollows) {
    Told& asked = query();
    Told& told = update();
    server.accept();
    server.message();
    client->close();
    EXPECT_EQ(failure(asked), ErrorKind::connection);
    EXPECT_EQ(failure(told), ErrorKind::connection);
    EXPECT_EQ(told.delivery.state, Sent::in_doubt);
    Told& late_query = query();
    Told& late_update = update();
    await(late_query);
    await(late_update);
    EXPECT_EQ(failure(late_query), ErrorKind::connection);
    EXPECT_EQ(failure(late_update), ErrorKind::connection);
    EXPECT_EQ(late_update.delivery.state, Sent::unsent);
}

}  // namespace
}  // namespace sftdyn::dns
