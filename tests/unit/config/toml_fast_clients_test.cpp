// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_fast_clients.hpp"

#include <vector>

#include <gmock/gmock.h>

using namespace sftdyn::config;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

struct Taken {
    std::vector<std::string> lines;
    std::string rest;
};

Taken take(std::string_view text) {
    Taken out;
    out.rest = take_client_lines(text, [&](const ClientLine& line) {
        out.lines.push_back(std::to_string(line.line) + ":" + std::to_string(line.key_column) +
                            ":" + std::to_string(line.host_column) + " " + std::string(line.key) +
                            " " + std::string(line.host));
    });
    return out;
}

TEST(ClientLines, PlainLinesAreTakenAndTheOthersKeepTheirPlace) {
    const auto taken = take(
        "http = \"1\"\n[clients]\n\"a\" = \"b\"\nc = \"d\"\n  \"e f\"  =\t\"g\"  \r\n[dns]\n\"x\" "
        "= \"y\"\n");
    EXPECT_THAT(taken.lines, ElementsAre("3:1:7 a b", "5:3:12 e f g"));
    EXPECT_EQ(taken.rest, "http = \"1\"\n[clients]\n\nc = \"d\"\n\n[dns]\n\"x\" = \"y\"\n");
}

TEST(ClientLines, OnlyInTheClientsTable) {
    EXPECT_THAT(take("\"a\" = \"b\"\n").lines, IsEmpty());
    EXPECT_THAT(take("[clientsx]\n\"a\" = \"b\"\n").lines, IsEmpty());
    EXPECT_THAT(take("[clients.x]\n\"a\" = \"b\"\n").lines, IsEmpty());
    EXPECT_THAT(take("[[clients]]\n\"a\" = \"b\"\n").lines, IsEmpty());
    EXPECT_THAT(take("[ clients ] # here\n\"a\" = \"b\"").lines, ElementsAre("2:1:7 a b"));
}

TEST(ClientLines, WhatIsNotPlainIsLeft) {
    for (const char* line :
         {"\"a\\\"b\" = \"c\"", "\"\xc3\xa4\" = \"c\"", "\"a\" = 'c'", "\"a\" = { host = \"c\" }",
          "\"a\" = \"b\" # comment", "\"\" = \"b\"", "\"a\" = \"\"", "\"a\".\"b\" = \"c\"",
          "\"a\" = \"b\" c", "\"a\"", "\"a\" = \"b", "# \"a\" = \"b\"", "\"a\tb\" = \"c\""}) {
        const auto taken = take(std::string("[clients]\n") + line + "\n");
        EXPECT_THAT(taken.lines, IsEmpty()) << line;
        EXPECT_EQ(taken.rest, std::string("[clients]\n") + line + "\n");
    }
}

TEST(ClientLines, ATextWithMultiLineStringsIsLeftWhole) {
    const std::string text = "x = \"\"\"\n[clients]\n\"a\" = \"b\"\n\"\"\"\n";
    EXPECT_THAT(take(text).lines, IsEmpty());
    EXPECT_EQ(take(text).rest, text);
    EXPECT_THAT(take("x = '''\n[clients]\n\"a\" = \"b\"\n'''\n").lines, IsEmpty());
}

}  // namespace
