// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/address_watch.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using boost::asio::ip::make_address;
using http::Forwarding;
using server::AddressWatch;

namespace {

std::vector<std::string> checks(const AddressWatch& watch) {
    std::vector<std::string> out;
    for (const auto& one : watch.warnings()) out.push_back(one.check + " " + one.address);
    return out;
}

TEST(AddressWatch, EachPeerIsSaidOnce) {
    AddressWatch watch;
    for (int i = 0; i < 3; ++i) {
        watch.forwarding(Forwarding::untrusted, make_address("172.17.0.1"));
        watch.forwarding(Forwarding::silent, make_address("10.0.0.1"));
        watch.forwarding(Forwarding::other, make_address("10.0.0.2"));
    }
    EXPECT_EQ(checks(watch),
              (std::vector<std::string>{"untrusted-proxy 172.17.0.1", "silent-proxy 10.0.0.1",
                                        "other-header 10.0.0.2"}));
}

TEST(AddressWatch, WhatItRemembersIsBounded) {
    AddressWatch watch;
    for (std::uint32_t i = 0; i < 10'000; ++i)
        watch.forwarding(Forwarding::untrusted, boost::asio::ip::make_address_v4(i));
    EXPECT_EQ(watch.warnings().size(), AddressWatch::most_strangers);
    // Strangers take no room from what is wrong with the administrator's own proxies.
    for (std::uint32_t i = 0; i < 10'000; ++i)
        watch.forwarding(Forwarding::silent, boost::asio::ip::make_address_v4(i));
    EXPECT_EQ(watch.warnings().size(), AddressWatch::most_warnings);
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
