// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/connection.hpp"

#include <new>
#include <string>

#include "http/connection_test.hpp"
#include "http/plain_connection.hpp"

using namespace sftdyn;
using namespace sftdyn::http;
using namespace std::chrono_literals;

namespace {

class Connections : public ConnectionTest {
protected:
    /// The client's end of a connection that has begun.
    int connect(const Peer& peer, bool preamble = false) {
        auto [socket, client] = pair();
        std::make_shared<PlainConnection>(std::move(socket), set_, peer, *admission_.enter())
            ->start(preamble);
        return client;
    }
    int connect() { return connect(client_); }

    /// Answers what was deferred, in the order in which it came.
    void defer_all() {
        handler_.answer = [this](const Request& asked, const auto& defer) {
            deferred_.emplace_back(asked.target, defer());
            return std::nullopt;
        };
    }
    void answer_first() {
        auto [target, later] = std::move(deferred_.front());
        deferred_.erase(deferred_.begin());
        later({200, target});
        run();
    }

    std::vector<std::pair<std::string, Later>> deferred_;
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

TEST_F(Connections, WhoAsksMayBeUnknownWhereItDoesNotMatter) {
    const Peer local = Peer::of(std::nullopt, proxies_);
    EXPECT_EQ(body(connect(local), request), "BAD REQUEST");
    handler_.needs_it = false;
    EXPECT_EQ(body(connect(local), request), "0.0.0.0") << "unspecified";
    EXPECT_EQ(body(connect(local), claim), "203.0.113.88");
    EXPECT_EQ(body(connect(client_), request), "192.0.2.1");
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

/// As often as `get` is asked for, in one text.
std::string several(std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    return all;
}

TEST_F(Connections, PiecesOfEverySizeAreAnsweredAsTheWhole) {
    handler_.answer = [](const Request& asked, const auto&) {
        return Response{200, std::string(asked.method) + " " + std::string(asked.target) + " " +
                                 std::string(asked.body) + "\n"};
    };
    const std::string text =
        "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: "
        "5\r\n\r\nhelloGET /c HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::string preamble = "PROXY TCP4 192.0.2.9 10.0.0.1 1 2\r\n";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        for (const bool is_behind_proxy : {false, true}) {
            const int client = connect(is_behind_proxy ? proxy_ : client_, is_behind_proxy);
            const std::string all = is_behind_proxy ? preamble + text : text;
            for (std::size_t at = 0; at < all.size(); at += size)
                tell(client, std::string_view(all).substr(at, size));
            const std::string answers = received(client);
            EXPECT_EQ(status_lines(answers), std::vector<std::string>(3, "200 OK")) << size;
            const auto a = answers.find("GET /a \n"), b = answers.find("POST /b hello\n"),
                       c = answers.find("GET /c \n");
            EXPECT_LT(a, b) << size;
            EXPECT_LT(b, c) << size;
            EXPECT_NE(c, std::string::npos) << size;
            clients_.clear();
            run();
        }
    }
}

TEST_F(Connections, PipelinedRequestsAreHandledOneAfterTheOther) {
    defer_all();
    const int client = connect();
    tell(client, several(3));
    for (const char* target : {"/0", "/1", "/2"}) {
        ASSERT_EQ(deferred_.size(), 1U) << "the next one waits for the answer";
        EXPECT_EQ(deferred_[0].first, target);
        answer_first();
        EXPECT_TRUE(received(client).ends_with(target));
    }
    EXPECT_TRUE(deferred_.empty());
}

TEST_F(Connections, ALateAnswerToOneThatIsGoneIsDropped) {
    defer_all();
    const int client = connect();
    tell(client, several(1));
    EXPECT_EQ(set_.list.size(), 1U) << "nobody reads from it, and the handler has it";
    set_.list.front().abort();
    run();
    EXPECT_EQ(set_.list.size(), 0U);
    answer_first();
    EXPECT_EQ(received(client), "");
    EXPECT_TRUE(is_closed);
}

TEST_F(Connections, AnAnswerIsTakenOnce) {
    defer_all();
    const int client = connect();
    tell(client, several(1));
    const Later later = deferred_.front().second;
    answer_first();
    later({200, "a second one"});
    EXPECT_EQ(status_lines(received(client)).size(), 1U);
    EXPECT_TRUE(body(client, "nonsense\r\n\r\n").ends_with("BAD REQUEST")) << "it goes on";
}

TEST_F(Connections, OneThatIsEndedGivesUpItsPlaceAtOnce) {
    connect();
    EXPECT_EQ(admission_.count(), 1U);
    set_.list.front().abort();
    EXPECT_EQ(admission_.count(), 0U) << "while the event loop still has it";
    EXPECT_EQ(set_.list.size(), 1U);
    EXPECT_FALSE(set_.list.front().idle());
    run();
    EXPECT_EQ(set_.list.size(), 0U);
}

TEST_F(Connections, AHandlerThatDropsItsRequestLeavesItToTheSweep) {
    handler_.answer = [](const auto&, const auto& defer) {
        static_cast<void>(defer());
        return std::nullopt;
    };
    tell(connect(), several(1));
    EXPECT_TRUE(ends_at(5min));
}

TEST_F(Connections, AProxysHeaderComesWithinTheHandshakesTime) {
    limits_.handshake_time = 7s;
    const int client = connect(proxy_, true);
    EXPECT_FALSE(set_.list.front().idle());
    now_ += 3s;
    tell(client, "PROXY TCP4 ");
    EXPECT_TRUE(ends_at(4s)) << "octets do not prolong it";
    received(client);
    EXPECT_TRUE(is_closed);
}

TEST_F(Connections, IdleTimeBeginsWithTheConnectionAndWithEachAnswer) {
    limits_.idle_time = 20s;
    connect();
    EXPECT_TRUE(ends_at(20s));
    const int client = connect();
    now_ += 19s;
    ask(client, several(1));
    EXPECT_TRUE(set_.list.front().idle());
    EXPECT_TRUE(ends_at(20s));
}

TEST_F(Connections, ARequestIsWholeWithinHeaderTimeOfItsFirstOctet) {
    limits_.header_time = 5s;
    const int client = connect();
    now_ += 50s;
    tell(client, "POST /k HTTP/1.1\r\nHost: x\r\n");
    now_ += 3s;
    tell(client, "Content-Length: 2\r\n\r\n");
    now_ += 1s;
    tell(client, "a");
    EXPECT_TRUE(ends_at(1s)) << "neither fields nor a body prolong it";
}

TEST_F(Connections, APipelinedBeginningHasHeaderTimeFromTheAnswerOn) {
    defer_all();
    limits_.header_time = 5s;
    const int client = connect();
    tell(client, several(1) + "GET /next");
    now_ += 60s;
    answer_first();
    EXPECT_FALSE(set_.list.front().idle());
    EXPECT_TRUE(ends_at(5s));
}

TEST_F(Connections, AnAnswerIsTakenWithinWriteTime) {
    limits_.write_time = 9s;
    handler_.answer = [](const auto&, const auto&) {
        return Response{200, std::string(8 << 20, 'x')};
    };
    tell(connect(), several(1));
    EXPECT_FALSE(set_.list.front().idle());
    EXPECT_EQ(set_.list.front().awaited_since(), std::nullopt);
    EXPECT_TRUE(ends_at(9s));
}

TEST_F(Connections, WhoIsToldWhyHasTwoSecondsToGo) {
    const int client = connect();
    EXPECT_EQ(status_lines(ask(client, "nonsense\r\n\r\n")),
              std::vector<std::string>{"400 Bad Request"});
    now_ += 1s;
    tell(client, "more of it");
    EXPECT_EQ(set_.list.size(), 1U) << "it is drained";
    EXPECT_TRUE(ends_at(1s));
}

TEST_F(Connections, TheLimitsHoldToTheOctet) {
    limits_.header_octets = 300;
    limits_.body_octets = 100;
    const auto answer_to = [&](const std::string& head, const std::string& tail, std::size_t size) {
        const auto lines = status_lines(
            ask(connect(), head + std::string(size - head.size() - tail.size(), 'x') + tail));
        return lines.size() == 1 ? lines[0] : "none";
    };
    const std::string end = "\r\n\r\n", ok = "200 OK", long_line = "414 URI Too Long",
                      long_header = "431 Request Header Fields Too Large";
    const std::string fields = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    EXPECT_EQ(answer_to(fields, end, 300), ok);
    EXPECT_EQ(answer_to(fields, end, 301), long_header);
    EXPECT_EQ(answer_to("GET /", " HTTP/1.0" + end, 300), ok);
    EXPECT_EQ(answer_to("GET /", " HTTP/1.0" + end, 302), long_header) << "a line of 300";
    EXPECT_EQ(answer_to("GET /", " HTTP/1.0" + end, 303), long_line);
    const auto posted = [](std::size_t size) {
        return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n" + std::string(size, 'b');
    };
    EXPECT_EQ(status_lines(ask(connect(), posted(100))), std::vector<std::string>{"200 OK"});
    EXPECT_EQ(status_lines(ask(connect(), posted(101))),
              std::vector<std::string>{"413 Payload Too Large"});
}

TEST_F(Connections, SoManyRequestsAndNoMore) {
    limits_.requests_per_connection = 3;
    const int client = connect();
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(ask(client, several(1)).find("Connection:"), std::string::npos);
    EXPECT_NE(ask(client, several(1)).find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(is_closed);
    EXPECT_EQ(status_lines(ask(connect(), several(4))).size(), 3U) << "pipelined, too";
}

TEST_F(Connections, WhatTheClientSaysOfKeepingItIsDone) {
    const int closes = connect(), old = connect(), old_kept = connect();
    EXPECT_NE(ask(closes, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                  .find("Connection: close\r\n"),
              std::string::npos);
    EXPECT_TRUE(is_closed);
    EXPECT_NE(ask(old, "GET / HTTP/1.0\r\n\r\n").find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(is_closed);
    EXPECT_NE(ask(old_kept, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                  .find("Connection: keep-alive\r\n"),
              std::string::npos);
    EXPECT_FALSE(is_closed);
    EXPECT_EQ(set_.list.size(), 1U);
}

TEST_F(Connections, AClientHasItsConnectionsAndATrustedProxyAnyNumber) {
    ConnectionLimiter two(100, 2);
    const auto begin = [&](const Peer& peer, bool preamble) {
        auto [socket, client] = pair();
        std::make_shared<PlainConnection>(std::move(socket), set_, peer, *two.enter())
            ->start(preamble);
        run();
        return client;
    };
    for (int i = 0; i < 2; ++i) EXPECT_EQ(body(begin(client_, false), several(1)), "192.0.2.1");
    received(begin(client_, false));
    EXPECT_TRUE(is_closed);
    EXPECT_EQ(two.count(), 2U) << "its place is free again";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(body(begin(proxy_, false), several(1)), "10.0.0.1");
    const std::string same = "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n";
    EXPECT_EQ(ask(begin(proxy_, true), same), "closed") << "whom a proxy names is counted";
    clients_.clear();
    run();
    EXPECT_EQ(two.count(), 0U);
}

TEST_F(Connections, WhoIsNotAtARequestEndsAtTheServersEnd) {
    defer_all();
    const int idle = connect(), busy = connect(), sending = connect();
    tell(busy, several(2));
    tell(sending, "GET /late HT");
    set_.close_when_idle();
    EXPECT_EQ(received(idle), "");
    EXPECT_TRUE(is_closed);
    answer_first();
    EXPECT_NE(received(busy).find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(is_closed);
    EXPECT_TRUE(deferred_.empty()) << "the next one of it is not taken any more";
    tell(sending, "TP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(deferred_.size(), 1U) << "one that had begun is";
    answer_first();
    EXPECT_NE(received(sending).find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(set_.list.size(), 0U);
}

TEST_F(Connections, RoomIsMadeByTheOneThatIsIdleLongest) {
    const int first = connect(), second = connect(), third = connect();
    ask(first, several(1));
    EXPECT_TRUE(set_.make_room(now_));
    received(second);
    EXPECT_TRUE(is_closed);
    EXPECT_TRUE(set_.make_room(now_));
    received(third);
    EXPECT_TRUE(is_closed);
    EXPECT_TRUE(set_.make_room(now_));
    received(first);
    EXPECT_TRUE(is_closed);
    EXPECT_FALSE(set_.make_room(now_)) << "there is none";
}

TEST_F(Connections, RoomIsMadeByTheSlowestAfterTwoSeconds) {
    defer_all();
    const int busy = connect(), slower = connect(), slow = connect();
    tell(busy, several(1));
    tell(slower, "GET /");
    now_ += 1s;
    tell(slow, "GET /");
    now_ += 1s - base::Duration(1);
    EXPECT_FALSE(set_.make_room(now_));
    now_ += 1s;
    EXPECT_TRUE(set_.make_room(now_)) << "only one of them is slow";
    received(slower);
    EXPECT_TRUE(is_closed);
    const int newest = connect();
    tell(newest, "GET /");
    EXPECT_FALSE(set_.make_room(now_));
    now_ += 5s;
    EXPECT_TRUE(set_.make_room(now_)) << "both are slow";
    received(slow);
    EXPECT_TRUE(is_closed);
    EXPECT_TRUE(set_.make_room(now_));
    received(newest);
    EXPECT_TRUE(is_closed);
    now_ += 59min;
    EXPECT_FALSE(set_.make_room(now_)) << "one that waits for us makes room for nobody";
    EXPECT_EQ(set_.list.size(), 1U);
    answer_first();
    EXPECT_TRUE(received(busy).starts_with("HTTP/1.1 200 "));
}

}  // namespace
