// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_listeners.hpp"

#include <gmock/gmock.h>

#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(TomlListeners, OneOrSeveralInEachForm) {
    const ReadText one("http = 8081\n");
    EXPECT_THAT(one.said, IsEmpty());
    ASSERT_EQ(one.settings.http.size(), 1U);
    EXPECT_EQ(one.settings.http[0].port, 8081);
    EXPECT_FALSE(one.settings.http[0].address);

    const ReadText several(
        "http = [\"8081\", \"127.0.0.1:8082\", { listen = \"unix:/run/s\", mode = \"0606\", group "
        "= \"root\", proxy_protocol = true }, \"unix:/run/t\"]\nhttps = []\n");
    EXPECT_THAT(several.said, ElementsAre(StartsWith("2:9: https is an empty list; ")));
    const auto& http = several.settings.http;
    ASSERT_EQ(http.size(), 4U);
    EXPECT_EQ(http[1].address->to_string(), "127.0.0.1");
    EXPECT_EQ(http[2].path, "/run/s");
    EXPECT_EQ(http[2].mode, 0606U);
    EXPECT_EQ(http[2].gid, 0U);
    EXPECT_TRUE(http[2].proxy_protocol);
    EXPECT_EQ(http[3].mode, default_socket_mode);
    EXPECT_FALSE(http[3].gid);
    EXPECT_FALSE(http[3].proxy_protocol);
}

TEST(TomlListeners, WhatIsReadTakesThePlaceOfWhatWasThere) {
    Settings settings;
    settings.http.resize(3);
    EXPECT_THAT(read_toml("http = 81\n", "/c.toml", settings), IsEmpty());
    ASSERT_EQ(settings.http.size(), 1U);
    EXPECT_THAT(read_toml("", "/c.toml", settings), IsEmpty());
    EXPECT_EQ(settings.http.size(), 1U);
}

TEST(TomlListeners, TheLongestPathThatTheKernelTakes) {
    const auto read = [](std::size_t octets) {
        return ReadText("http = \"unix:/" + std::string(octets - 1, 'x') + "\"\n").said;
    };
    EXPECT_THAT(read(107), IsEmpty());
    EXPECT_THAT(read(108), ElementsAre(AllOf(StartsWith("1:8: the socket's path is too long: 108"),
                                             HasSubstr("up to 107 octets"))));
}

class TomlListenersMistake : public testing::TestWithParam<WrongText> {};

TEST_P(TomlListenersMistake, IsToldInItsPlaceAndTakesNothing) {
    const auto& [name, text, start, remedy] = GetParam();
    const ReadText read(text);
    EXPECT_THAT(read.said, ElementsAre(AllOf(StartsWith(start), HasSubstr(remedy))));
    EXPECT_THAT(read.settings.http, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TomlListenersMistake,
    testing::Values(
        WrongText{"NoAddress", "http = \"8080x\"\n", "1:8: this is not an address to listen on; ",
                  "expected PORT"},
        WrongText{"NoPort", "http = 65536\n", "1:8: this is not an address to listen on; ",
                  "expected PORT"},
        WrongText{"ANegativePort", "http = -1\n", "1:8: this is not an address to listen on; ",
                  "expected PORT"},
        WrongText{"AFlag", "http = [true]\n", "1:9: http is of the wrong type (boolean); ",
                  "or a list of them"},
        WrongText{"ALineBreak", "http = \"unix:/run/a\\nb\"\n",
                  "1:8: a socket's path has control characters in it; ", "write it in one line"},
        WrongText{"NoListen", "http = { mode = \"0600\" }\n", "1:8: http has no listen; ",
                  "add listen = \"8080\""},
        WrongText{"AListenThatIsNone", "http = { listen = \"8080x\" }\n",
                  "1:19: this is not an address to listen on; ", "expected PORT"},
        WrongText{"AListenThatIsANumber", "http = { listen = 8080 }\n",
                  "1:19: listen is of the wrong type (integer); ", "as a string"},
        WrongText{"ModeOfAPort", "http = { listen = \"8080\", mode = \"0600\" }\n",
                  "1:8: mode and group are for Unix sockets only; ", "leave them out"},
        WrongText{"GroupOfAPort", "http = { listen = \"8080\", group = \"root\" }\n",
                  "1:8: mode and group are for Unix sockets only; ", "leave them out"},
        WrongText{"AModeThatIsNone", "http = { listen = \"unix:/run/s\", mode = \"0888\" }\n",
                  "1:41: mode is not a file mode; ", "octal digits as a string"},
        WrongText{"AModeWithMoreBits", "http = { listen = \"unix:/run/s\", mode = \"1000\" }\n",
                  "1:41: mode is not a file mode; ", "octal digits as a string"},
        WrongText{"ANumberAsMode", "http = { listen = \"unix:/run/s\", mode = 600 }\n",
                  "1:41: mode is of the wrong type (integer); ", "an octal string"},
        WrongText{"NoSuchGroup",
                  "http = { listen = \"unix:/run/s\", group = \"no-such-group-here\" }\n",
                  "1:42: there is no group of this name; ", "getent group"},
        WrongText{"Unknown", "http = { listen = \"8080\", lisen = \"8081\" }\n",
                  "1:27: unknown setting \"lisen\" in http; ", "did you mean listen?"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sftdyn::config
