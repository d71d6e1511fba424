// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/network.hpp"

#include <random>

#include <gtest/gtest.h>

using namespace sftdyn::base;
using boost::asio::ip::make_address;

namespace {

TEST(ClientNetwork, AnIpv4AddressOrAnIpv6NetworkOf64Bits) {
    const auto network = [](const char* text) { return client_network(make_address(text)); };
    EXPECT_EQ(network("192.0.2.1"), network("192.0.2.1"));
    EXPECT_NE(network("192.0.2.1"), network("192.0.2.2"));
    EXPECT_EQ(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    EXPECT_NE(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    EXPECT_NE(network("::"), network("0.0.0.0"));
    EXPECT_EQ(hash_value(network("2001:db8:1:2::1")), hash_value(network("2001:db8:1:2::2")));
}

TEST(EndpointText, AnIpv6AddressIsInBrackets) {
    EXPECT_EQ(endpoint_text(make_address("192.0.2.1"), 53), "192.0.2.1:53");
    EXPECT_EQ(endpoint_text(make_address("2001:db8::1"), 8080), "[2001:db8::1]:8080");
    EXPECT_EQ(endpoint_text(make_address("::1"), 0), "[::1]:0");
}

TEST(Network, OfMappedAddressesIsAnIpv4Network) {
    const auto network = Network::parse("::ffff:10.0.0.0/104");
    ASSERT_TRUE(network.has_value());
    EXPECT_TRUE(network->contains(make_address("10.1.2.3")));
    EXPECT_FALSE(network->contains(make_address("11.1.2.3")));
    const auto one = Network::parse("::ffff:192.0.2.1");
    ASSERT_TRUE(one.has_value());
    EXPECT_TRUE(one->contains(make_address("192.0.2.1")));
    EXPECT_FALSE(one->contains(make_address("192.0.2.2")));
    EXPECT_TRUE(Network::parse("::ffff:0:0/90").has_error());
    EXPECT_FALSE(Network::parse("::/0").value().contains(make_address("192.0.2.1")));
}

TEST(ParseAddress, TakesWholeAddressesInOneForm) {
    for (const char* good : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:DB8::1",
                             "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "fe80::1"})
        EXPECT_TRUE(parse_address(good).has_value()) << good;
    using namespace std::string_view_literals;
    for (const auto bad : {""sv,           "1"sv,         "1.2.3"sv,
                           "1.2.3.4.5"sv,  "01.2.3.4"sv,  "1.2.3.010"sv,
                           "0x1.2.3.4"sv,  "256.1.1.1"sv, " 1.2.3.4"sv,
                           "1.2.3.4 "sv,   "1.2.3.4\0"sv, "1.2.3.4\0x"sv,
                           "1.2.3.4\n"sv,  "::1\0"sv,     "fe80::1%lo"sv,
                           "fe80::1%1"sv,  "1.2.3.4%1"sv, "[::1]"sv,
                           "::1/128"sv,    "1::2::3"sv,   "1:2:3:4:5:6:7"sv,
                           "12345::"sv,    "::00001"sv,   "::1.2.3"sv,
                           "1.2.3.4:80"sv, "localhost"sv}) {
        EXPECT_FALSE(parse_address(bad).has_value()) << bad;
    }
    EXPECT_FALSE(parse_address(std::string(100'000, '1')).has_value());
}

/// What is taken is what is said: no text that differs in a single octet means the same without
/// being another spelling.
TEST(ParseAddress, WhatIsReadIsWhatIsWritten) {
    std::mt19937 random(3);
    const std::string_view alphabet("0123456789abcdef.:%/ \0xg", 24);
    for (int i = 0; i < 300'000; ++i) {
        std::string text = i % 2 == 0 ? "192.0.2.1" : "2001:db8::1";
        for (auto changes = random() % 3 + 1; changes > 0; --changes)
            text.insert(random() % (text.size() + 1), 1, alphabet[random() % alphabet.size()]);
        const auto address = parse_address(text);
        if (!address) continue;
        ASSERT_EQ(text.find_first_not_of("0123456789abcdef.:"), std::string::npos) << text;
        ASSERT_EQ(parse_address(address->to_string()), address) << text;
        ASSERT_TRUE(address->is_v6() || address->to_string() == text)
            << text << ": one spelling only";
    }
}

TEST(ParseAddress, AZoneIsForLinkLocalAddressesOfTheConfiguration) {
    EXPECT_EQ(parse_zoned_address("fe80::1%1")->to_v6().scope_id(), 1U);
    EXPECT_GT(parse_zoned_address("fe80::1%lo")->to_v6().scope_id(), 0U);
    EXPECT_EQ(parse_zoned_address("192.0.2.1"), parse_address("192.0.2.1"));
    for (const char* bad : {"2001:db8::1%1", "192.0.2.1%1", "fe80::1%", "fe80::1%0",
                            "fe80::1%no-such-interface", "::1%lo"})
        EXPECT_FALSE(parse_zoned_address(bad).has_value()) << bad;
}

TEST(Port, DecimalDigitsUpTo65535) {
    for (const char* good : {"0", "1", "443", "0443", "65535"}) EXPECT_TRUE(is_port(good)) << good;
    for (const char* bad : {"", "65536", "99999", "000443", "-1", "+1", " 1", "1 ", "0x1", "a"})
        EXPECT_FALSE(is_port(bad)) << bad;
}

}  // namespace
