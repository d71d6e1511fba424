// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/prefix_place.hpp"

#include <gtest/gtest.h>

namespace sftdyn::protocol {
namespace {

using boost::asio::ip::make_address_v6;

TEST(PlaceIn, PrefixSubnetAndSuffix) {
    const auto place = [](const char* network, unsigned length, std::uint64_t subnet,
                          const char* suffix) {
        const auto out =
            place_in({make_address_v6(network), length}, {make_address_v6(suffix), subnet});
        return out ? out->to_string() : "none";
    };
    EXPECT_EQ(place("2001:db8:1::", 48, 0, "::1"), "2001:db8:1::1");
    EXPECT_EQ(place("2001:db8:1::", 48, 0xffff, "::1"), "2001:db8:1:ffff::1");
    EXPECT_EQ(place("2001:db8:1::", 48, 0x10000, "::1"), "none");
    EXPECT_EQ(place("2001:db8:1:2:3:4:5:6", 64, 0, "::1"), "2001:db8:1:2::1")
        << "bits behind the prefix don't count";
    EXPECT_EQ(place("2001:db8:1:2::", 64, 1, "::1"), "none");
    EXPECT_EQ(place("2001:db8:1:2:3::", 80, 0, "::5:6:7"), "2001:db8:1:2:3:5:6:7");
    EXPECT_EQ(place("2001:db8:1:2:3::", 80, 0, "::4:5:6:7"), "none");
    EXPECT_EQ(place("2001:db8:1:2:3::", 80, 1, "::7"), "none");
}

}  // namespace
}  // namespace sftdyn::protocol
