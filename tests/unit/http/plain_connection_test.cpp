// SPDX-License-Identifier: GPL-3.0-or-later
// How octets travel without TLS; what connections do with them is in connection_test.cpp.
#include "http/plain_connection.hpp"

#include <string>

#include "http/connection_test.hpp"

using namespace sftdyn;
using namespace sftdyn::http;

namespace {

class PlainConnections : public ConnectionTest {
protected:
    int connect() {
        auto [socket, client] = pair();
        std::make_shared<PlainConnection>(std::move(socket), set_, client_, *admission_.enter())
            ->start(false);
        return client;
    }
};

constexpr std::string_view plain_request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(PlainConnections, AnAnswerOfAnySizeIsSentWhole) {
    const std::string text(3 << 20, 'x');
    handler_.answer = [&](const auto&, const auto&) { return Response{200, text}; };
    const int client = connect();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(body(client, plain_request), text);
    EXPECT_FALSE(is_closed);
}

TEST_F(PlainConnections, TheLastAnswerEndsItAtOnce) {
    EXPECT_EQ(body(connect(), "GET / HTTP/1.0\r\n\r\n"), "192.0.2.1");
    EXPECT_TRUE(is_closed);
    EXPECT_EQ(set_.list.size(), 0U);
    EXPECT_EQ(admission_.count(), 0U);
}

/// On TCP, where what was sent and not read would reset the connection and take the answer along.
TEST_F(PlainConnections, WhoStillSendsIsToldWhyFirst) {
    const int client = connect();
    EXPECT_EQ(body(client, "nonsense\r\n\r\n"), "BAD REQUEST");
    EXPECT_TRUE(is_closed) << "nothing more is sent";
    EXPECT_EQ(set_.list.size(), 1U) << "the client may still be sending";
    for (int i = 0; i < 100; ++i) tell(client, std::string(10'000, 'x'));
    EXPECT_EQ(set_.list.size(), 1U);
    shutdown(client, SHUT_WR);
    run();
    EXPECT_EQ(set_.list.size(), 0U) << "it is done";
    EXPECT_EQ(admission_.count(), 0U);
}

TEST_F(PlainConnections, WhatIsDrainedIsNoRequest) {
    unsigned handled = 0;
    handler_.answer = [&](const auto&, const auto&) {
        ++handled;
        return Response{200, "x"};
    };
    const int client = connect();
    ask(client, "nonsense\r\n\r\n" + std::string(plain_request));
    tell(client, plain_request);
    EXPECT_EQ(handled, 0U);
}

TEST_F(PlainConnections, AClientThatGoesEndsIt) {
    const int before = connect(), within = connect(), unread = connect();
    tell(within, "GET / HT");
    for (const int client : {before, within}) shutdown(client, SHUT_WR);
    run();
    EXPECT_EQ(set_.list.size(), 1U);
    handler_.answer = [](const auto&, const auto&) {
        return Response{200, std::string(8 << 20, 'x')};
    };
    tell(unread, plain_request);
    EXPECT_EQ(set_.list.size(), 1U);
    clients_.clear();
    run();
    EXPECT_EQ(set_.list.size(), 0U);
    EXPECT_EQ(admission_.count(), 0U);
}

}  // namespace
