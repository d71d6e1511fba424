// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/request_parser.hpp"
#include "http/usual_limits.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

using sftdyn::http::Limits;
using sftdyn::http::RequestParser;
using sftdyn::http::usual_limits;

namespace {

struct Outcome {
    bool done = false;
    unsigned status = 0;
    std::string method, target;
    std::vector<std::string> proxy_values{};
};

Outcome parse(std::string_view text, const Limits& limits = usual_limits()) {
    RequestParser parser(limits, "x-forwarded-for");
    Outcome out;
    while (!text.empty()) {
        boost::system::error_code error;
        const std::size_t used = parser.feed(text, error);
        text.remove_prefix(used);
        if (error && error != boost::beast::http::error::need_more) {
            out.status = parser.status_of(error);
            return out;
        }
        if (parser.is_done() || error || used == 0) break;
    }
    out.done = parser.is_done();
    out.method = parser.method();
    out.target = parser.target();
    out.proxy_values.assign(parser.proxy_values().begin(), parser.proxy_values().end());
    return out;
}

TEST(RequestParser, MethodAndTargetAreAsSent) {
    const auto out = parse("QueRY /a%20b?c=\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(out.done);
    EXPECT_EQ(out.status, 0U);
    EXPECT_EQ(out.method, "QueRY");
    EXPECT_EQ(out.target, "/a%20b?c=\xc3\xa4");
}

TEST(RequestParser, HostIsNeededOnceInHttp11) {
    EXPECT_EQ(parse("GET / HTTP/1.1\r\n\r\n").status, 400U);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n").status, 400U);
    EXPECT_EQ(parse("GET / HTTP/1.0\r\n\r\n").status, 0U);
}

TEST(RequestParser, TheAbsoluteFormIsTheOriginForm) {
    const auto target = [](const std::string& sent) {
        const auto out = parse("GET " + sent + " HTTP/1.1\r\nHost: other\r\n\r\n");
        return out.done ? out.target : std::to_string(out.status);
    };
    EXPECT_EQ(target("http://x/k?a=b"), "/k?a=b");
    EXPECT_EQ(target("HTTPS://[2001:db8::1]:8080/a/b"), "/a/b");
    EXPECT_EQ(target("http://x"), "/");
    EXPECT_EQ(target("http://x:80?a"), "/?a");
}

TEST(RequestParser, EmptyLinesBeforeARequestAreIgnored) {
    const std::string request = "GET /k HTTP/1.1\r\nHost: x\r\n\r\n";
    for (const char* lines : {"", "\r\n", "\r\n\r\n\r\n\r\n"})
        EXPECT_TRUE(parse(lines + request).done) << request;
    for (const char* lines : {"\n", "\r", "\r\r\n", " \r\n", "\r\n\r\n\r\n\r\n\r\n"})
        EXPECT_EQ(parse(lines + request).status, 400U) << request;
    // Octet by octet.
    RequestParser parser(usual_limits(), "");
    std::string waiting;
    for (const char octet : "\r\n\r\n" + request) {
        boost::system::error_code error;
        waiting += octet;
        waiting.erase(0, parser.feed(waiting, error));
    }
    EXPECT_TRUE(parser.is_done());
}

TEST(RequestParser, WhoWaitsForAHundredIsKnown) {
    const auto awaits = [](std::string_view text) {
        RequestParser parser(usual_limits(), "");
        boost::system::error_code error;
        while (!text.empty()) {
            const std::size_t used = parser.feed(text, error);
            text.remove_prefix(used);
            if (used == 0) break;
        }
        return parser.awaits_continue();
    };
    const std::string length = "Host: x\r\nContent-Length: 3\r\n";
    EXPECT_TRUE(awaits("POST / HTTP/1.1\r\n" + length + "Expect: 100-Continue\r\n\r\n"));
    EXPECT_FALSE(awaits("POST / HTTP/1.1\r\n" + length + "Expect: 100-continue\r\n\r\na"));
    EXPECT_FALSE(awaits("POST / HTTP/1.0\r\n" + length + "Expect: 100-continue\r\n\r\n"));
    EXPECT_FALSE(awaits("POST / HTTP/1.1\r\n" + length + "\r\n"));
}

TEST(RequestParser, NoOtherFormIsServed) {
    for (const char* target : {"http:///k", "http://u@x/k", "ftp://x/k", "x:80", "*", "://x/"})
        EXPECT_EQ(parse("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n").status, 400U)
            << target;
    EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 400U);
    EXPECT_EQ(parse("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n").status, 400U);
}

TEST(RequestParser, LimitsHaveTheirStatus) {
    Limits limits = usual_limits();
    limits.header_octets = 200;
    limits.body_octets = 10;
    EXPECT_EQ(
        parse("GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", limits).status,
        414U);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(300, 'a') + "\r\n\r\n", limits)
                  .status,
              431U);
    EXPECT_EQ(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", limits).status,
              413U);
}

TEST(RequestParser, FieldsAreCounted) {
    const auto with_fields = [](std::size_t count) {
        std::string text = "GET /k HTTP/1.1\r\nHost: x\r\n";
        for (std::size_t i = 1; i < count; ++i)
            text += i % 2 == 0 ? "a:\r\n" : "X-Forwarded-For: 1\r\n";
        return parse(text + "\r\n");
    };
    EXPECT_TRUE(with_fields(RequestParser::most_fields).done);
    const auto many = with_fields(RequestParser::most_fields + 1);
    EXPECT_FALSE(many.done);
    EXPECT_EQ(many.status, 431U);
    EXPECT_EQ(with_fields(3000).status, 431U);
}

TEST(RequestParser, BodiesArePassedOver) {
    EXPECT_TRUE(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").done);
    EXPECT_FALSE(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab").done);
}

TEST(RequestParser, TheHeaderIsCountedAsAWhole) {
    Limits limits = usual_limits();
    limits.header_octets = 300;
    const std::string line = "GET /" + std::string(200, 'a') + " HTTP/1.0\r\n",
                      field = "X: " + std::string(80, 'b') + "\r\n";
    EXPECT_EQ(line.size() + field.size() + 2, 303U);
    EXPECT_EQ(parse(line + field + "\r\n", limits).status, 431U);
    EXPECT_TRUE(parse(line.substr(3) + field + "\r\n", limits).status == 400U) << "no method";
    limits.header_octets = 303;
    EXPECT_TRUE(parse(line + field + "\r\n", limits).done);
    // What follows the header is no header.
    EXPECT_TRUE(parse(line + "Content-Length: 500\r\n\r\n" + std::string(500, 'c'), limits).done);
}

TEST(RequestParser, ABodyWithoutALengthIs411) {
    const auto status = [](std::string_view fields, std::string_view version = "1.1") {
        return parse("POST /k HTTP/" + std::string(version) + "\r\nHost: x\r\n" +
                     std::string(fields) + "\r\n0\r\nAuthorization: Token k\r\n\r\n")
            .status;
    };
    EXPECT_EQ(status("Transfer-Encoding: chunked\r\n"), 411U);
    EXPECT_EQ(status("transfer-encoding:  CHUNKED \r\n"), 411U);
    for (const char* fields :
         {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
          "Transfer-Encoding: identity\r\n", "Transfer-Encoding:\r\n",
          "Transfer-Encoding: chunked;a=b\r\n",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
          "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"}) {
        EXPECT_EQ(status(fields), 400U) << fields;
    }
    EXPECT_EQ(status("Transfer-Encoding: chunked\r\n", "1.0"), 400U);
}

TEST(RequestParser, ABodyTakesMemoryAsItComes) {
    Limits limits = usual_limits();
    limits.body_octets = 1 << 20;
    RequestParser parser(limits, "");
    boost::system::error_code error;
    parser.feed("POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 1048575\r\n\r\n", error);
    EXPECT_EQ(parser.body_capacity(), 0U);
    std::string body;
    while (body.size() < 1048575) {
        const std::string piece(std::min<std::size_t>(1000, 1048575 - body.size()),
                                static_cast<char>(body.size() % 251));
        body += piece;
        ASSERT_EQ(parser.feed(piece, error), piece.size());
        ASSERT_LE(parser.body_capacity(), std::min<std::size_t>(2 * body.size(), 1048575));
    }
    EXPECT_TRUE(parser.is_done());
    EXPECT_EQ(parser.body(), body);
}

TEST(RequestParser, TheProxysLinesAreKept) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(parse("GET / HTTP/1.0\r\nx-forwarded-FOR: a, b\r\nX: y\r\nX-Forwarded-For: c\r\n\r\n")
                  .proxy_values,
              (Lines{"a, b", "c"}));
    EXPECT_EQ(parse("GET / HTTP/1.0\r\nForwarded: for=a\r\n\r\n").proxy_values, Lines{});
}

TEST(RequestParser, FieldsAreKeptWhereTheyAreWanted) {
    const Limits limits = usual_limits();
    for (const bool wanted : {true, false}) {
        RequestParser parser(limits, "", wanted);
        boost::system::error_code error;
        parser.feed("GET / HTTP/1.0\r\nX-A:  b c \r\nx-a: d\r\nEmpty:\r\n\r\n", error);
        ASSERT_TRUE(parser.is_done());
        std::vector<std::pair<std::string, std::string>> fields;
        for (const auto& field : parser.fields()) fields.emplace_back(field.name, field.value);
        using Fields = decltype(fields);
        EXPECT_EQ(fields,
                  wanted ? (Fields{{"X-A", "b c"}, {"x-a", "d"}, {"Empty", ""}}) : Fields{});
    }
}

TEST(RequestParser, FedOctetByOctetItIsTheSame) {
    const Limits limits = usual_limits();
    const auto status = [&](std::string_view text) {
        RequestParser parser(limits, "");
        std::size_t begin = 0;
        for (std::size_t end = 1; end <= text.size(); ++end) {
            boost::system::error_code error;
            begin += parser.feed(text.substr(begin, end - begin), error);
            if (error && error != boost::beast::http::error::need_more)
                return parser.status_of(error);
        }
        return parser.is_done() ? 200U : 0U;
    };
    EXPECT_EQ(status("POST /k HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: 3\r\n\r\n\n\0\r"), 0U);
    EXPECT_EQ(status(std::string_view(
                  "POST /k HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: 3\r\n\r\n\n\0\r", 57)),
              200U)
        << "a body holds anything";
    EXPECT_EQ(status("GET /k HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n"), 400U);
    EXPECT_EQ(status("GET /k HTTP/1.1\r\nHost: x\rX: y\r\n\r\n"), 400U);
}

TEST(RequestParser, NonsenseIs400) {
    for (const std::string text :
         {"\x16\x03\x01\x02\x01", "GET /\r\n\r\n", "GET / HTTP/3.1\r\n\r\n",
          "G@T{} / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
          "GET / HTTP/1.0\r\nContent-Length: 0, 0\r\n\r\n",
          "GET / HTTP/1.0\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
          "GET / HTTP/1.0\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.0\nX: a\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/\r\n\r\n"}) {
        EXPECT_EQ(parse(text).status, 400U) << text;
    }
}

}  // namespace
