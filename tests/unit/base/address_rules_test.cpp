// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/address_rules.hpp"

#include <random>

#include <gtest/gtest.h>

using namespace sftdyn::base;
using Ruling = AddressRules::Ruling;

namespace {

Ruling rule(const AddressRules& rules, const char* text, bool named = true) {
    return rules.rule(parse_address(text).value(), named);
}

AddressRules rules(const std::vector<const char*>& allow, const std::vector<const char*>& deny) {
    AddressRules out;
    const auto add = [](std::vector<Network>& to, const std::vector<const char*>& texts) {
        for (const char* text : texts) {
            const auto networks = parse_networks(text).value();
            to.insert(to.end(), networks.begin(), networks.end());
        }
    };
    add(out.allow, allow);
    add(out.deny, deny);
    return out;
}

class Nobodys : public testing::TestWithParam<const char*> {};
TEST_P(Nobodys, IsNeverPublished) {
    EXPECT_EQ(rule({}, GetParam(), true), Ruling::nobodys);
    EXPECT_EQ(rule({}, GetParam(), false), Ruling::nobodys) << "wherever it comes from";
    EXPECT_EQ(rule(rules({"0.0.0.0/0", "::/0"}, {}), GetParam()), Ruling::nobodys)
        << "whatever the settings say";
}
INSTANTIATE_TEST_SUITE_P(
    Table, Nobodys,
    testing::Values("0.0.0.0", "0.1.2.3", "169.254.0.1", "169.254.169.254", "192.0.0.1",
                    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::2",
                    "::127.0.0.1", "::192.0.2.1", "::ffff:0:127.0.0.1", "::ffff:0.1.2.3",
                    "::ffff:169.254.1.1", "::ffff:224.0.0.1", "::ffff:255.255.255.255",
                    "64:ff9b::0.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.1.1",
                    "64:ff9b::240.0.0.1", "64:ff9b:1::127.0.0.1", "64:ff9b:1::1", "100::1",
                    "100:0:0:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:10::1",
                    "2001:2f::1", "2002:7f00:1::", "2002:0:1::1", "2002:a9fe:101::1",
                    "2002:e000:1::", "2002:ffff:ffff::", "5f00::1", "fe80::1", "febf::1", "fec0::1",
                    "feff::1", "ff02::1", "ffff::1", "192.88.99.1", "2001:1::1", "2001:3::1",
                    "2001:30::1", "3ffe::1", "200::1", "1fff::1", "4000::1", "6000::1", "8000::1",
                    "a000::1", "c000::1", "e000::1", "f000::1", "f800::1", "fbff::1", "fe00::1",
                    "2001:db8::5efe:127.0.0.1", "2001:db8::200:5efe:169.254.1.1",
                    "fd00::5efe:0.0.0.0", "2a00::200:5efe:255.255.255.255",
                    // Several within each other.
                    "2002:cb00:7101:1:0:5efe:127.0.0.1", "2002:cb00:7101:1:0:5efe:0.0.0.0",
                    "2002:cb00:7101:1:200:5efe:224.0.0.1", "2002:7f00:1:1:0:5efe:192.0.2.1",
                    "2001:0:cb00:7101:0:5efe:127.0.0.1", "2001:0:cb00:7101:200:5efe:0.0.0.0",
                    "2001:0:cb00:7101:0:5efe:255.255.255.254", "2001:0:7f00:1:8000:63bf:3fff:fdd2",
                    "2001:0:e000:1:8000:63bf:3fff:fdd2"));

class Publishable : public testing::TestWithParam<const char*> {};
TEST_P(Publishable, IsPublishedUnlessTheSettingsSayOtherwise) {
    EXPECT_EQ(rule({}, GetParam()), Ruling::may_be);
}
INSTANTIATE_TEST_SUITE_P(
    Table, Publishable,
    testing::Values("1.1.1.1", "10.0.0.1", "100.64.0.1", "100.128.0.1", "172.16.0.1", "192.0.2.1",
                    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "223.255.255.255",
                    "::ffff:192.0.2.1", "64:ff9b::192.0.2.1",
                    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "3fff::1",
                    "2002:c000:201::1", "2a00::1", "fc00::1", "fd00::1", "2000::1", "2001:2::1",
                    "2001:200::1", "3fff:ffff::1", "2001:db8::5efe:192.0.2.1",
                    "2001:db8::200:5efe:10.0.0.1", "2001:db8::100:5efe:127.0.0.1",
                    "2002:cb00:7101:1:0:5efe:192.0.2.1", "2002:cb00:7101:1:100:5efe:127.0.0.1",
                    "2001:0:cb00:7101:0:5efe:192.0.2.1"));

TEST(AddressRules, LoopbackIsForConnectionsOnly) {
    for (const char* text : {"127.0.0.1", "127.9.9.9", "::1"}) {
        EXPECT_EQ(rule({}, text, true), Ruling::loopback) << text;
        EXPECT_EQ(rule({}, text, false), Ruling::may_be) << text;
        EXPECT_EQ(rule(rules({}, {"loopback"}), text, false), Ruling::denied) << text;
    }
}

TEST(AddressRules, WordsAreNetworks) {
    const auto denies = [](const char* word, const char* text) {
        return rule(rules({}, {word}), text) == Ruling::denied;
    };
    for (const char* text : {"10.1.2.3", "172.31.0.1", "192.168.0.1", "64:ff9b::10.0.0.1",
                             "2002:a00:1::1", "::ffff:10.0.0.1", "2001:db8::5efe:10.0.0.1"})
        EXPECT_TRUE(denies("private", text)) << text;
    for (const char* text : {"11.0.0.1", "172.32.0.1", "100.64.0.1", "fd00::1"})
        EXPECT_FALSE(denies("private", text)) << text;
    for (const char* word : {"carrier-grade-nat", "cgn", "shared"}) {
        EXPECT_TRUE(denies(word, "100.64.0.1")) << word;
        EXPECT_TRUE(denies(word, "100.127.255.255")) << word;
        EXPECT_FALSE(denies(word, "100.128.0.1")) << word;
    }
    EXPECT_TRUE(denies("unique-local", "fdff::1"));
    EXPECT_FALSE(denies("unique-local", "2001:db8::1"));
    for (const char* bad : {"", "lan", "Private", "10.0.0.0/33", "10", "fe80::1%lo"})
        EXPECT_TRUE(parse_networks(bad).has_error()) << bad;
}

TEST(AddressRules, TheLongestNetworkDecides) {
    const auto only = rules({"192.0.2.0/24"}, {});
    EXPECT_EQ(rule(only, "192.0.2.1"), Ruling::may_be);
    EXPECT_EQ(rule(only, "198.51.100.1"), Ruling::denied) << "allow alone: nothing else";
    const auto both = rules({"192.168.7.0/24"}, {"private", "192.168.7.66"});
    EXPECT_EQ(rule(both, "192.168.7.1"), Ruling::may_be);
    EXPECT_EQ(rule(both, "192.168.7.66"), Ruling::denied);
    EXPECT_EQ(rule(both, "192.168.8.1"), Ruling::denied);
    EXPECT_EQ(rule(both, "198.51.100.1"), Ruling::may_be)
        << "beside deny, allow only makes exceptions";
    EXPECT_EQ(rule(rules({"private"}, {"private"}), "10.0.0.1"), Ruling::denied);
}

TEST(AddressRules, AnAllowedIpv4AddressAllowsNoIpv6AddressThatEmbedsIt) {
    const auto exception = rules({"192.168.0.0/16"}, {"unique-local"});
    const auto only = rules({"203.0.113.0/24"}, {});
    const auto one = rules({"192.0.2.1"}, {"2001:db8::/31"});
    EXPECT_EQ(rule(exception, "fd00::5efe:192.168.1.1"), Ruling::denied);
    EXPECT_EQ(rule(one, "2001:db8:bad::5efe:192.0.2.1"), Ruling::denied);
    for (const char* form :
         {"2001:db8:bad::5efe:203.0.113.1", "2001:db8:bad::200:5efe:203.0.113.1",
          "64:ff9b::203.0.113.1", "2002:cb00:7101::1", "2001:0:c000:201:0:ffff:34ff:8efe"})
        EXPECT_EQ(rule(only, form), Ruling::denied) << form;
    EXPECT_EQ(rule(only, "::ffff:203.0.113.1"), Ruling::may_be) << "the same address";
}

TEST(AddressRules, ADeniedIpv4AddressDeniesEachIpv6AddressThatEmbedsIt) {
    const auto policy =
        rules({"2001:db8::/32", "64:ff9b::/96", "2002::/16", "10.9.0.0/16"}, {"private", "::/0"});
    for (const char* form :
         {"2001:db8::5efe:10.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "::ffff:10.0.0.1",
          "2002:cb00:7101:1:0:5efe:10.0.0.1", "2002:a00:1:1:0:5efe:192.0.2.1"})
        EXPECT_EQ(rule(policy, form), Ruling::denied) << form;
    for (const char* form : {"2001:0:cb00:7101:200:ffff:f5ff:fffe", "2001:0:a00:1:0:ffff:3fff:fdfe",
                             "2001:0:cb00:7101:0:5efe:192.0.2.1"})
        EXPECT_EQ(rule(rules({"2001::/32"}, {"private", "192.0.2.0/24", "::/0"}), form),
                  Ruling::denied)
            << form;
    for (const char* form : {"2001:db8::5efe:10.9.0.1", "64:ff9b::10.9.0.1", "2002:a09:1::1",
                             "2001:db8::1", "2002:cb00:7101:1:0:5efe:10.9.0.1"})
        EXPECT_EQ(rule(policy, form), Ruling::may_be) << form;
}

/// However an IPv4 address is wrapped up, it is ruled as what it is, or not published at all.
TEST(AddressRules, AnEmbeddedAddressIsNeverBetterThanItself) {
    std::mt19937 random(7);
    const auto policy = rules({}, {"private", "carrier-grade-nat"});
    for (int i = 0; i < 200'000; ++i) {
        const auto v4 = boost::asio::ip::make_address_v4(
            static_cast<std::uint32_t>(random() & (i % 2 == 0 ? 0xffffffffU : 0x7f0000ffU)));
        const auto octets = v4.to_bytes();
        boost::asio::ip::address_v6::bytes_type mapped{}, nat64{0, 0x64, 0xff, 0x9b},
            six{0x20, 0x02}, compatible{};
        mapped[10] = mapped[11] = 0xff;
        for (std::size_t k = 0; k < 4; ++k)
            mapped[12 + k] = nat64[12 + k] = six[2 + k] = compatible[12 + k] = octets[k];
        for (const auto& bytes : {mapped, nat64, six, compatible}) {
            const boost::asio::ip::address v6 = boost::asio::ip::make_address_v6(bytes);
            if (policy.rule(v6, true) != Ruling::may_be) continue;
            ASSERT_EQ(policy.rule(v4, true), Ruling::may_be) << v6;
        }
    }
}

}  // namespace
