// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/request_reader.hpp"
#include "http/usual_limits.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using sftdyn::http::Limits;
using sftdyn::http::RequestReader;
using sftdyn::http::RequestState;
using sftdyn::http::usual_limits;

namespace {

struct ReaderOutcome {
    std::vector<std::string> requests{};  ///< method, target, Authorization and body of each
    unsigned status = 0;                  ///< that refused what came then
    std::size_t most = 0;                 ///< octets of memory that the buffer had
    friend bool operator==(const ReaderOutcome& a, const ReaderOutcome& b) {
        return a.requests == b.requests;
    }
};

/// As a connection does it: `text` comes in pieces of what `size` says.
template <class Size>
ReaderOutcome read(std::string_view text, const Limits& limits, Size size) {
    ReaderOutcome out;
    RequestReader reader(limits, "x-forwarded-for");
    while (true) {
        auto state = reader.read();
        while (state == RequestState::more) {
            if (text.empty()) return out;
            const auto space = reader.space();
            out.most = std::max(out.most, reader.capacity());
            const std::size_t piece = std::min({space.size(), size(), text.size()});
            std::memcpy(space.data(), text.data(), piece);
            text.remove_prefix(piece);
            reader.received(piece);
            state = reader.read();
        }
        if (state == RequestState::refused) {
            out.status = reader.status();
            return out;
        }
        const auto& request = reader.request();
        std::string all(request.method());
        for (const std::string_view part :
             {request.target(), request.authorization(), request.body()})
            all.append(" ").append(part);
        out.requests.push_back(all);
        reader.next();
    }
}

ReaderOutcome whole(std::string_view text, const Limits& limits = usual_limits()) {
    return read(text, limits, [] { return std::string::npos; });
}

TEST(RequestReader, PiecesGiveWhatTheWholeGives) {
    const std::string text =
        "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: "
        "40\r\n\r\n" +
        std::string("GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n\0\0\0\0\0\0\0", 40) +
        "GET /c HTTP/1.1\r\nAuthorization: Token t\r\nHost: x\r\nX: " + std::string(9000, 'y') +
        "\r\n\r\nGET /d HTTP/1.1\r\nHost: x\r\nX: a\nb\r\n\r\nGET /never HTTP/1.1\r\nHost: "
        "x\r\n\r\n";
    const ReaderOutcome right = whole(text);
    ASSERT_EQ(right.requests.size(), 3U);
    EXPECT_EQ(right.requests[2], "GET /c Token t ");
    EXPECT_EQ(right.status, 400U);
    for (std::size_t size = 1; size < 100; ++size)
        EXPECT_EQ(read(text, usual_limits(), [size] { return size; }), right) << size;
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round)
        EXPECT_EQ(read(text, usual_limits(), [&] { return 1 + random() % 300; }), right);
}

class Endless : public testing::TestWithParam<std::string> {};
TEST_P(Endless, TakesNoMoreThanTheLimits) {
    for (const std::size_t header : {256U, 16384U}) {
        Limits limits = usual_limits();
        limits.header_octets = header;
        std::string text = GetParam();
        const std::string filler = "X-A: " + std::string(90, 'a') + "\r\n";
        while (text.size() < (1 << 21))
            text += GetParam().ends_with("\n") ? filler : std::string(100, 'a');
        for (const std::size_t size : {7U, 1460U, 1U << 20}) {
            const ReaderOutcome out = read(text, limits, [size] { return size; });
            EXPECT_LE(out.most, header + RequestReader::read_size);
            EXPECT_NE(out.status, 0U);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(
    RequestReader, Endless,
    testing::Values("", "GET /", "GET / HTTP/1.1\r\nHost: x\r\n",
                    "GET / HTTP/1.1\r\nHost: x\r\nX: ",
                    "POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
                    "POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                    "POST /k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"));

TEST(RequestReader, TheLastRequestIsForgotten) {
    const Limits limits = usual_limits();
    RequestReader reader(limits, "");
    const auto receive = [&](std::string_view text) {
        const auto space = reader.space();
        ASSERT_GE(space.size(), text.size());
        std::memcpy(space.data(), text.data(), text.size());
        reader.received(text.size());
    };
    const auto memory = [&] {
        // After `next` without input, all of the buffer is space.
        const auto space = reader.space();
        return std::string(static_cast<const char*>(space.data()), 200);
    };
    receive("GET /the-secret HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(reader.read(), RequestState::whole);
    EXPECT_EQ(reader.request().target(), "/the-secret");
    reader.next();
    EXPECT_EQ(memory().find("secret"), std::string::npos);

    // Pipelined: the second waits, and the first is gone.
    const std::string_view first = "GET /first-secret HTTP/1.1\r\nHost: x\r\n\r\n";
    const auto* const start = static_cast<const char*>(reader.space().data());
    receive(first);
    receive("GET /second-secret HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(std::string_view(start, first.size()), first);
    ASSERT_EQ(reader.read(), RequestState::whole);
    reader.next();
    EXPECT_TRUE(reader.has_input());
    EXPECT_EQ(std::string_view(start, first.size() + 3).find_first_not_of('\0'), first.size());
    ASSERT_EQ(reader.read(), RequestState::whole);
    EXPECT_EQ(reader.request().target(), "/second-secret");
    reader.next();
    EXPECT_EQ(memory().find("secret"), std::string::npos);
}

TEST(RequestReader, WhatALongRequestTookIsGivenBack) {
    const Limits limits = usual_limits();
    RequestReader reader(limits, "");
    std::string text = "POST /k HTTP/1.1\r\nHost: x\r\nX: " + std::string(16000, 'x') +
                       "\r\nContent-Length: 65536\r\n\r\n" + std::string(65536, 'b');
    std::size_t during_body = 0;
    while (!text.empty()) {
        const auto space = reader.space();
        if (text.size() < 60000) during_body = std::max(during_body, reader.capacity());
        const std::size_t piece = std::min({space.size(), text.size(), std::size_t{1460}});
        std::memcpy(space.data(), text.data(), piece);
        text.erase(0, piece);
        reader.received(piece);
        ASSERT_EQ(reader.read(), text.empty() ? RequestState::whole : RequestState::more);
    }
    EXPECT_EQ(during_body, RequestReader::read_size)
        << "the header's place is given back before the body has come";
    EXPECT_EQ(reader.request().body_capacity(), 65536U);
    reader.next();
    EXPECT_LE(reader.capacity(), RequestReader::read_size);
    EXPECT_EQ(reader.request().body_capacity(), 0U);
}

}  // namespace
