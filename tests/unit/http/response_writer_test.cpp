// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/response_writer.hpp"

#include <string>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using sftdyn::http::Framing;
using sftdyn::http::Response;
using sftdyn::http::write_response;

namespace {

std::string written(const Response& response, const Framing& framing) {
    std::string out;
    write_response(out, response, framing);
    const std::size_t date = out.find("Date: ") + 6;
    return out.replace(date, out.find('\r', date) - date, "D");
}

TEST(ResponseWriter, WholeMessage) {
    EXPECT_EQ(written({200, "OK"}, {11, true, false}),
              "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/plain; "
              "charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nOK");
}

TEST(ResponseWriter, ConnectionIsSaidWhereItIsNotTheDefault) {
    EXPECT_EQ(written({200, "OK"}, {11, true, false}).find("Connection"), std::string::npos);
    EXPECT_NE(written({200, "OK"}, {11, false, false}).find("\r\nConnection: close\r\n"),
              std::string::npos);
    EXPECT_NE(written({200, "OK"}, {10, false, false}).find("\r\nConnection: close\r\n"),
              std::string::npos);
    EXPECT_NE(written({200, "OK"}, {10, true, false}).find("\r\nConnection: keep-alive\r\n"),
              std::string::npos);
}

TEST(ResponseWriter, HeadHasTheLengthButNoBody) {
    const std::string out = written({405, "METHOD NOT ALLOWED", "GET"}, {11, true, true});
    EXPECT_NE(out.find("Content-Length: 18\r\n"), std::string::npos);
    EXPECT_NE(out.find("Allow: GET\r\n"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST(ResponseWriter, RetryAfter) {
    EXPECT_NE(written({429, "ABUSE", {}, 17s}, {11, true, false})
                  .find("HTTP/1.1 429 Too Many Requests\r\n"),
              std::string::npos);
    EXPECT_NE(written({429, "ABUSE", {}, 17s}, {11, true, false}).find("Retry-After: 17\r\n"),
              std::string::npos);
}

}  // namespace
