#include "http/forwarded.hpp"

#include <gtest/gtest.h>

using namespace sftdyn;
using namespace sftdyn::http;
using boost::asio::ip::make_address;

namespace {

Proxies proxies(ProxyHeader header = ProxyHeader::x_forwarded_for) {
    return {{*base::Network::parse("10.0.0.0/8"), *base::Network::parse("::1")}, header};
}

std::string client(const char* peer, const std::optional<std::string>& value, ProxyHeader header = ProxyHeader::x_forwarded_for) {
    const auto address = client_address(make_address(peer), value, proxies(header));
    return address ? address->to_string() : "refused";
}

TEST(Forwarded, OnlyTrustedProxiesAreBelieved) {
    EXPECT_EQ(client("192.0.2.9", "198.51.100.1"), "192.0.2.9");
    EXPECT_EQ(client("11.0.0.1", "198.51.100.1"), "11.0.0.1");
    EXPECT_EQ(client("10.1.2.3", "198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("::1", "198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("10.1.2.3", std::nullopt), "10.1.2.3");
    EXPECT_EQ(client_address(make_address("10.0.0.1"), "198.51.100.1", {})->to_string(), "10.0.0.1");
}

TEST(Forwarded, HopsAreUnwoundFromTheRight) {
    EXPECT_EQ(client("10.0.0.1", "203.0.113.66, 198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "203.0.113.66, 198.51.100.1, 10.0.0.2,10.0.0.3"), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "10.0.0.9, 10.0.0.2"), "10.0.0.9");
    EXPECT_EQ(client("10.0.0.1", "junk, 198.51.100.1"), "198.51.100.1");  // what stands left of the client is the client's own word
}

TEST(Forwarded, EachFormOfAnAddress) {
    EXPECT_EQ(client("10.0.0.1", " 198.51.100.1:1234 "), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "2001:db8::1"), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", "[2001:db8::1]"), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", "[2001:db8::1]:80"), "2001:db8::1");
    EXPECT_EQ(client("10.0.0.1", "::ffff:198.51.100.1"), "198.51.100.1");
}

TEST(Forwarded, JunkIsRefused) {
    for (const char* value : {"",
                              ",",
                              "198.51.100.1,",
                              "unknown",
                              "_hidden",
                              "host.example.org",
                              "198.51.100",
                              "198.51.100.1:",
                              "198.51.100.1:x",
                              "[2001:db8::1",
                              "[2001:db8::1]x",
                              "[198.51.100.1]:80",
                              "fe80::1%eth0",
                              "0.0.0.0",
                              "::",
                              "::ffff:0.0.0.0",
                              "224.0.0.1",
                              "::ffff:224.0.0.1",
                              "198.51.100.1 198.51.100.2",
                              "198.51.100.1:123456"}) {
        EXPECT_EQ(client("10.0.0.1", value), "refused") << value;
    }
}

TEST(Forwarded, Rfc7239) {
    const auto forwarded = [](const char* value) { return client("10.0.0.1", value, ProxyHeader::forwarded); };
    EXPECT_EQ(forwarded("for=198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(forwarded("by=10.0.0.1;For=\"[2001:db8::1]:4711\";proto=https"), "2001:db8::1");
    EXPECT_EQ(forwarded("for=203.0.113.66, for=198.51.100.1;host=\"a,b;c\", for=10.0.0.2"), "198.51.100.1");
    for (const char* value :
         {"for=unknown", "for=_x", "proto=https", "198.51.100.1", "for=198.51.100.1;for=198.51.100.2", "for=", "for=\"198.51.100.1"}) {
        EXPECT_EQ(forwarded(value), "refused") << value;
    }
}

TEST(Forwarded, XRealIp) {
    EXPECT_EQ(client("10.0.0.1", "198.51.100.1", ProxyHeader::x_real_ip), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "198.51.100.1, 198.51.100.2", ProxyHeader::x_real_ip), "refused");
    EXPECT_EQ(client("192.0.2.9", "198.51.100.1", ProxyHeader::x_real_ip), "192.0.2.9");
}

TEST(Network, ParsesAndContains) {
    const auto contains = [](const char* network, const char* address) { return base::Network::parse(network)->contains(make_address(address)); };
    EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(contains("192.0.2.0/23", "192.0.3.0"));
    EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
    for (const char* text : {"", "x", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/8x", "::/129"})
        EXPECT_TRUE(base::Network::parse(text).has_error()) << text;
}

}  // namespace
