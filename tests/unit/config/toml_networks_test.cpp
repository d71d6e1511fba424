// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_networks.hpp"

#include <gmock/gmock.h>

#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

TEST(TomlNetworks, OneOrSeveralProxies) {
    EXPECT_EQ(ReadText("trusted_proxies = \"192.0.2.1\"\n").settings.trusted_proxies.size(), 1U);
    const ReadText several("trusted_proxies = [\"192.0.2.0/24\", \"2001:db8::1\"]\n");
    EXPECT_THAT(several.said, IsEmpty());
    const auto& proxies = several.settings.trusted_proxies;
    ASSERT_EQ(proxies.size(), 2U);
    EXPECT_TRUE(proxies[0].contains(boost::asio::ip::make_address("192.0.2.200")));
    EXPECT_FALSE(proxies[0].contains(boost::asio::ip::make_address("192.0.3.1")));
    EXPECT_TRUE(proxies[1].contains(boost::asio::ip::make_address("2001:db8::1")));
    EXPECT_THAT(ReadText("trusted_proxies = []\n").said, IsEmpty()) << "nobody is believed";
}

TEST(TomlNetworks, AddressesOfWordsAndBlocks) {
    const ReadText read(
        "[addresses]\nallow = \"192.168.7.0/24\"\ndeny = [\"private\", \"loopback\", "
        "\"2001:db8::/32\"]\n");
    EXPECT_THAT(read.said, IsEmpty());
    const auto& rules = read.settings.addresses;
    EXPECT_EQ(rules.allow.size(), 1U);
    const auto denied = [&](const char* text) {
        const auto address = boost::asio::ip::make_address(text);
        return std::any_of(rules.deny.begin(), rules.deny.end(),
                           [&](const base::Network& network) { return network.contains(address); });
    };
    for (const char* text :
         {"10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "::1", "2001:db8:1::1"})
        EXPECT_TRUE(denied(text)) << text;
    for (const char* text : {"192.0.2.1", "2001:db9::1"}) EXPECT_FALSE(denied(text)) << text;
}

TEST(TomlNetworks, AnEmptyListIsNotAll) {
    EXPECT_THAT(ReadText("[addresses]\nallow = []\n").said,
                ElementsAre("2:9: allow is an empty list; name networks, or leave the line out to "
                            "allow all"));
    const ReadText deny("[addresses]\ndeny = []\n");
    EXPECT_THAT(deny.said, IsEmpty());
    EXPECT_THAT(deny.settings.addresses.deny, IsEmpty());
}

TEST(TomlNetworks, WhatIsNoneIsToldInItsPlace) {
    EXPECT_THAT(ReadText("trusted_proxies = [\"192.0.2.1\", \"192.0.2.0/33\", 7]\n").said,
                ElementsAre(StartsWith("1:33: this is not a network; "),
                            StartsWith("1:49: trusted_proxies is of the wrong type (integer); "
                                       "expected addresses or CIDR blocks")));
    EXPECT_THAT(ReadText("trusted_proxies = \"private\"\n").said,
                ElementsAre(StartsWith("1:19: this is not a network; ")))
        << "a word names too many";
    EXPECT_THAT(ReadText("[addresses]\ndeny = [\"nowhere\"]\nallow = [1]\n").said,
                ElementsAre(AllOf(StartsWith("2:9: "), HasSubstr("private")),
                            StartsWith("3:10: allow is of the wrong type (integer); ")));
    EXPECT_THAT(ReadText("[addresses]\ndenny = \"private\"\n").said,
                ElementsAre(HasSubstr("did you mean deny?")));
}

}  // namespace
}  // namespace sftdyn::config
