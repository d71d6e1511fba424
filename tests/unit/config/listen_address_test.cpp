// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/listen_address.hpp"

#include <gtest/gtest.h>

using sftdyn::config::parse_listen;

TEST(Listen, EachForm) {
    EXPECT_EQ(parse_listen("8080")->port, 8080);
    EXPECT_FALSE(parse_listen("8080")->address);
    EXPECT_EQ(parse_listen("127.0.0.1:80")->address->to_string(), "127.0.0.1");
    EXPECT_EQ(parse_listen("[::1]:0")->address->to_string(), "::1");
    EXPECT_EQ(parse_listen("[::1]:0")->port, 0);
}

TEST(Listen, WhatIsNone) {
    for (const char* text : {"", "65536", "-1", "8080 ", "a:80", "::1:80", "127.0.0.1:", ":80",
                             "[127.0.0.1]:80", "[::1]", "127.0.0.1:http", "[]:80", "1.2.3:80"}) {
        EXPECT_TRUE(parse_listen(text).has_error()) << text;
    }
}
