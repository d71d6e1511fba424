// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <new>
#include <string>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "http/plain_connection.hpp"
#include "http/usual_limits.hpp"

using namespace sftdyn;
using namespace sftdyn::http;

namespace {

struct FakeHandler : Handler {
    std::function<std::optional<Response>(const Request&, const std::function<Later()>&)> answer;
    std::optional<Response> handle(const Request& request,
                                   const std::function<Later()>& defer) override {
        return answer(request, defer);
    }
};

struct FakeObserver : Observer {
    std::vector<RefusedRequest> refused{};
    void on_refused(const RefusedRequest& request) override { refused.push_back(request); }
};

class Connections : public testing::Test {
protected:
    Connections() {
        handler_.answer = [](const Request& request, const auto&) {
            return Response{200, request.client.to_string()};
        };
    }

    /// The client's end of a connection that has begun.
    int connect(const Peer& peer, bool preamble = false) {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        Socket socket(io_, Stream(AF_UNIX, 0), ends[0]);
        std::make_shared<PlainConnection>(std::move(socket), set_, peer, *admission_.enter())
            ->start(preamble);
        clients_.push_back(ends[1]);
        return ends[1];
    }

    /// What comes back for `octets`.
    std::string ask(int client, std::string_view octets) {
        EXPECT_EQ(send(client, octets.data(), octets.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(octets.size()));
        io_.restart();
        while (io_.poll() > 0) {
        }
        std::array<char, 4096> out{};
        const ssize_t size = recv(client, out.data(), out.size(), 0);
        return size < 0    ? "nothing"
               : size == 0 ? "closed"
                           : std::string(out.data(), static_cast<std::size_t>(size));
    }

    std::string body(int client, std::string_view octets) {
        const std::string out = ask(client, octets);
        return out.find("\r\n\r\n") == std::string::npos ? out
                                                         : out.substr(out.find("\r\n\r\n") + 4);
    }

    ~Connections() override {
        for (const int client : clients_) close(client);
    }

    FakeHandler handler_;
    FakeObserver observer_;
    Limits limits_ = usual_limits();
    Proxies proxies_{{*base::Network::parse("10.0.0.0/8")}, ProxyHeader::x_forwarded_for};
    ConnectionLimiter admission_{100, 100};
    ConnectionSet set_{handler_, limits_, proxies_, "x-forwarded-for", &observer_};
    boost::asio::io_context io_{1};
    std::vector<int> clients_;
    Peer client_ = Peer::of(boost::asio::ip::make_address("192.0.2.1"), proxies_);
    Peer proxy_ = Peer::of(boost::asio::ip::make_address("10.0.0.1"), proxies_);
};

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view claim =
    "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.88\r\n\r\n";

TEST_F(Connections, WithoutMemoryOneEndsAndNoOther) {
    const int good = connect(client_), bad = connect(client_);
    EXPECT_EQ(body(good, request), "192.0.2.1");
    const auto answer = handler_.answer;
    handler_.answer = [](const auto&, const auto&) -> std::optional<Response> {
        throw std::bad_alloc();
    };
    EXPECT_EQ(ask(bad, request), "closed");
    handler_.answer = answer;
    EXPECT_EQ(body(good, request), "192.0.2.1");
    EXPECT_EQ(set_.list.size(), 1U) << "the other is gone";
    EXPECT_EQ(admission_.count(), 1U);
}

TEST_F(Connections, WithoutMemoryBehindADeferralItEnds) {
    Later later;
    handler_.answer = [&](const auto&,
                          const std::function<Later()>& defer) -> std::optional<Response> {
        later = defer();
        throw std::bad_alloc();
    };
    EXPECT_EQ(ask(connect(client_), request), "closed");
    EXPECT_EQ(set_.list.size(), 0U);
    later({200, "late"});
    io_.restart();
    io_.poll();
}

TEST_F(Connections, NobodySendsChunks) {
    const int client = connect(proxy_);
    const std::string out = ask(client,
                                "POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n0\r\nX-Forwarded-For: 203.0.113.66\r\n\r\n");
    EXPECT_TRUE(out.starts_with("HTTP/1.1 411 Length Required\r\n")) << out;
    EXPECT_NE(out.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\nLENGTH REQUIRED"));
    EXPECT_EQ(ask(client, request), "closed");
}

TEST_F(Connections, WhomAConnectionIsFor) {
    EXPECT_EQ(body(connect(client_), claim), "192.0.2.1");
    EXPECT_EQ(body(connect(proxy_), claim), "203.0.113.88");
    const std::string v2("\r\n\r\n\0\r\nQUIT\n", 12);
    const std::string local = v2 + std::string("\x20\x00\x00\x00", 4),
                      unspecified = v2 + std::string("\x21\x00\x00\x00", 4),
                      unix_socket = v2 + std::string("\x21\x31\x00\xd8", 4) + std::string(216, 'x');
    for (const std::string& nobody :
         {std::string("PROXY UNKNOWN\r\n"), local, unspecified, unix_socket}) {
        EXPECT_EQ(body(connect(proxy_, true), nobody + std::string(claim)), "10.0.0.1");
        EXPECT_EQ(
            body(connect(Peer::of(std::nullopt, proxies_), true), nobody + std::string(claim)),
            "BAD REQUEST");
    }
    EXPECT_EQ(
        body(connect(proxy_, true), "PROXY TCP4 192.0.2.9 10.0.0.1 1 2\r\n" + std::string(claim)),
        "192.0.2.9");
    EXPECT_EQ(
        body(connect(proxy_, true), "PROXY TCP4 10.0.0.2 10.0.0.1 1 2\r\n" + std::string(claim)),
        "203.0.113.88");
    EXPECT_EQ(body(connect(proxy_, true),
                   std::string_view("PROXY TCP4 192.0.2.9\0junk 10.0.0.1 1 2\r\n", 40)),
              "closed");
}

TEST_F(Connections, WhatNoHandlerSeesIsToldOnce) {
    struct Case {
        std::string octets;
        unsigned status;
    };
    limits_.header_octets = 200;
    limits_.body_octets = 10;
    const std::string spaces(300, 'x');
    unsigned handled = 0;
    handler_.answer = [&](const auto&, const auto&) {
        ++handled;
        return Response{200, "ok"};
    };
    for (const Case& row : std::vector<Case>{
             {"nonsense\r\n\r\n", 400},
             {"GET /k HTTP/1.1\r\n\r\n", 400},
             {"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
             {"POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413},
             {"GET /" + spaces + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
             {"GET /k HTTP/1.1\r\nHost: x\r\nField: " + spaces + "\r\n\r\n", 431}}) {
        observer_.refused.clear();
        const std::string answer = ask(connect(client_), row.octets);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(row.status))) << answer;
        ASSERT_EQ(observer_.refused.size(), 1U) << row.status;
        EXPECT_EQ(observer_.refused[0].status, row.status);
        EXPECT_EQ(observer_.refused[0].peer, client_.address);
    }
    EXPECT_EQ(handled, 0U);
    observer_.refused.clear();
    ask(connect(client_), request);
    EXPECT_EQ(handled, 1U);
    EXPECT_TRUE(observer_.refused.empty()) << "the handler has seen it";
}

TEST_F(Connections, AClaimInARefusedRequestIsNotBelieved) {
    // What the header says of the client may be cut off anywhere.
    ask(connect(proxy_), "GET /k HTTP/1.1\r\nX-Forwarded-For: 203.0.113.88\r\nnonsense\r\n\r\n");
    ask(connect(Peer::of(std::nullopt, proxies_)), "nonsense\r\n\r\n");
    ASSERT_EQ(observer_.refused.size(), 2U);
    EXPECT_EQ(observer_.refused[0].peer, proxy_.address);
    EXPECT_EQ(observer_.refused[1].peer, std::nullopt);
}

}  // namespace
