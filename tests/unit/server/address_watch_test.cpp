// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/address_watch.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using boost::asio::ip::make_address;
using http::Forwarding;
using server::AddressWatch;
using Sender = AddressWatch::Sender;

namespace {

std::vector<std::string> checks(const AddressWatch& watch) {
    std::vector<std::string> out;
    for (const auto& one : watch.warnings()) out.push_back(one.check + " " + one.address);
    return out;
}

TEST(AddressWatch, EachPeerIsSaidOnce) {
    AddressWatch watch;
    for (int i = 0; i < 3; ++i) {
        watch.forwarding(Forwarding::untrusted, make_address("172.17.0.1"), Sender::client);
        watch.forwarding(Forwarding::silent, make_address("10.0.0.1"), Sender::client);
        watch.forwarding(Forwarding::other, make_address("10.0.0.2"), Sender::client);
    }
    EXPECT_EQ(checks(watch),
              (std::vector<std::string>{"untrusted-proxy 172.17.0.1", "silent-proxy 10.0.0.1",
                                        "other-header 10.0.0.2"}));
}

TEST(AddressWatch, WhatItRemembersIsBounded) {
    AddressWatch watch;
    for (std::uint32_t i = 0; i < 10'000; ++i)
        watch.forwarding(Forwarding::untrusted, boost::asio::ip::make_address_v4(i),
                         Sender::stranger);
    EXPECT_EQ(watch.warnings().size(), AddressWatch::most_strangers);
    for (std::uint32_t i = 20'000; i < 30'000; ++i)
        watch.forwarding(Forwarding::silent, boost::asio::ip::make_address_v4(i), Sender::client);
    EXPECT_EQ(watch.warnings().size(), AddressWatch::most_warnings + AddressWatch::most_strangers);
}

TEST(AddressWatch, StrangersKeepNobodyWithARightCredentialOut) {
    AddressWatch watch;
    for (std::uint32_t i = 0; i < 100; ++i)
        watch.forwarding(Forwarding::untrusted, boost::asio::ip::make_address_v4(0xc6336400 + i),
                         Sender::stranger);
    watch.forwarding(Forwarding::untrusted, make_address("172.17.0.1"), Sender::stranger);
    EXPECT_EQ(checks(watch).size(), AddressWatch::most_strangers);
    for (std::uint32_t i = 0; i < 3; ++i)
        watch.forwarding(Forwarding::untrusted, boost::asio::ip::make_address_v4(0xac110001 + i),
                         Sender::client);
    const auto told = checks(watch);
    ASSERT_EQ(told.size(), AddressWatch::most_strangers + 3);
    EXPECT_EQ(told[0], "untrusted-proxy 172.17.0.1");
    EXPECT_EQ(told[2], "untrusted-proxy 172.17.0.3");
}

TEST(AddressWatch, AStrangerWhoseCredentialIsRightInTheEndIsNoneAnyMore) {
    AddressWatch watch;
    const auto peer = make_address("172.17.0.1");
    for (const Sender sender : {Sender::stranger, Sender::client, Sender::stranger})
        watch.forwarding(Forwarding::untrusted, peer, sender);
    ASSERT_EQ(checks(watch), std::vector<std::string>{"untrusted-proxy 172.17.0.1"});
    EXPECT_EQ(watch.warnings()[0].what.find("without a valid credential"), std::string::npos);
}

TEST(AddressWatch, OfTrustedProxiesStrangersSayNothing) {
    AddressWatch watch;
    watch.forwarding(Forwarding::silent, make_address("10.0.0.1"), Sender::stranger);
    watch.forwarding(Forwarding::other, make_address("10.0.0.2"), Sender::stranger);
    EXPECT_TRUE(watch.warnings().empty());
}

TEST(AddressWatch, ManyHostsWithOneAddressThatFewCanShare) {
    for (const char* shared : {"127.0.0.1", "172.17.0.1", "100.64.0.1", "fd00::1", "::1"}) {
        AddressWatch watch;
        for (int i = 0; i < 5; ++i) {
            watch.published(1, make_address(shared));
            watch.published(2, make_address(shared));
        }
        EXPECT_TRUE(watch.warnings().empty()) << shared;
        watch.published(3, make_address(shared));
        watch.published(4, make_address(shared));
        EXPECT_EQ(checks(watch), std::vector<std::string>{"shared-address " + std::string(shared)});
    }
    AddressWatch watch;
    for (update::HostId host = 0; host < 10; ++host)
        watch.published(host, make_address("198.51.100.1"));
    for (update::HostId host = 0; host < 10'000; ++host)
        watch.published(host, boost::asio::ip::make_address_v4(0x0a000000 + host));
    EXPECT_TRUE(watch.warnings().empty());
}

}  // namespace
