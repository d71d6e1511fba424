#include "base/network.hpp"

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

TEST(Port, DecimalDigitsUpTo65535) {
    for (const char* good : {"0", "1", "443", "0443", "65535"}) EXPECT_TRUE(is_port(good)) << good;
    for (const char* bad : {"", "65536", "99999", "000443", "-1", "+1", " 1", "1 ", "0x1", "a"}) EXPECT_FALSE(is_port(bad)) << bad;
}

}  // namespace
