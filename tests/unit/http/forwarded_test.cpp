// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/forwarded.hpp"

#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "http/proxy_protocol.hpp"

using namespace sftdyn;
using namespace sftdyn::http;
using boost::asio::ip::make_address;

namespace {

Proxies proxies(ProxyHeader header = ProxyHeader::x_forwarded_for) {
    return {{*base::Network::parse("10.0.0.0/8"), *base::Network::parse("::1")}, header};
}

using Lines = std::vector<std::string>;

std::string client(const char* peer, const Lines& lines,
                   ProxyHeader header = ProxyHeader::x_forwarded_for) {
    const Proxies known = proxies(header);
    const auto address = client_address(Peer::of(make_address(peer), known), lines, known);
    return address ? address->to_string() : "refused";
}

std::string client(const char* peer, const char* line,
                   ProxyHeader header = ProxyHeader::x_forwarded_for) {
    return client(peer, Lines{line}, header);
}

TEST(Forwarded, OnlyTrustedProxiesAreBelieved) {
    EXPECT_EQ(client("192.0.2.9", "198.51.100.1"), "192.0.2.9");
    EXPECT_EQ(client("11.0.0.1", "198.51.100.1"), "11.0.0.1");
    EXPECT_EQ(client("10.1.2.3", "198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("::1", "198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("10.1.2.3", Lines{}), "10.1.2.3");
    const Lines lines{"198.51.100.1"};
    EXPECT_EQ(client_address(Peer::of(make_address("10.0.0.1"), {}), lines, {})->to_string(),
              "10.0.0.1");
}

TEST(Forwarded, HopsAreUnwoundFromTheRight) {
    EXPECT_EQ(client("10.0.0.1", "203.0.113.66, 198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "203.0.113.66, 198.51.100.1, 10.0.0.2,10.0.0.3"), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "10.0.0.9, 10.0.0.2"), "10.0.0.9");
    EXPECT_EQ(client("10.0.0.1", "junk, 198.51.100.1"),
              "198.51.100.1");  // what stands left of the client is the client's own word
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
                              "198.51.100.1:123456",
                              "1.2.3.4 junk",
                              "0x7f000001",
                              "198.51.100.01"}) {
        EXPECT_EQ(client("10.0.0.1", value), "refused") << value;
    }
}

TEST(Forwarded, Rfc7239) {
    const auto forwarded = [](const char* line) {
        return client("10.0.0.1", line, ProxyHeader::forwarded);
    };
    EXPECT_EQ(forwarded("for=198.51.100.1"), "198.51.100.1");
    EXPECT_EQ(forwarded("by=10.0.0.1;For=\"[2001:db8::1]:4711\";proto=https"), "2001:db8::1");
    EXPECT_EQ(forwarded("for=203.0.113.66, for=198.51.100.1;host=\"a,b;c\", for=10.0.0.2"),
              "198.51.100.1");
    EXPECT_EQ(forwarded("for=\"198.51.100.1:80\""), "198.51.100.1");
    EXPECT_EQ(forwarded("for=\"198.51.100.1:_port.1-a\""), "198.51.100.1");
    EXPECT_EQ(forwarded("for=\"198.51.\\100.1\""), "198.51.100.1") << "a quoted-pair";
    EXPECT_EQ(forwarded("for=203.0.113.66;by=\"\\\"\" \t,\t for=198.51.100.1"), "198.51.100.1")
        << "an escaped quotation mark";
    EXPECT_EQ(forwarded(",, ;;for=198.51.100.1;"), "198.51.100.1")
        << "elements and pairs may be empty";
    EXPECT_EQ(forwarded("for=unknown, for=198.51.100.1"), "198.51.100.1")
        << "before the client anything may stand that is grammar";
}

class NoForwarded : public testing::TestWithParam<const char*> {};
TEST_P(NoForwarded, IsRefused) {
    EXPECT_EQ(client("10.0.0.1", GetParam(), ProxyHeader::forwarded), "refused");
}
INSTANTIATE_TEST_SUITE_P(
    Forwarded, NoForwarded,
    testing::Values("for=unknown", "for=_x", "proto=https", "198.51.100.1",
                    "for=198.51.100.1;for=198.51.100.2", "for=", "for=\"\"", "", ",",
                    "for=198.51.100.1,", "for=198.51.100.1;by=\"", "for=198.51.100.1;by=\"\\\"",
                    "for=198.51.100.1;by=\"x\\", "for=\"198.51.100.1", "for=198.51.100.1\"",
                    "\", for=198.51.100.1", "for=198.51.100.1;by=\"a\"b", "for=198.51.100.1:80",
                    "for=2001:db8::1", "for=[2001:db8::1]", "for=\"2001:db8::1\"",
                    "for=\"[198.51.100.1]\"", "for=\"[2001:db8::1]:\"", "for=\"[2001:db8::1]:_\"",
                    "for=\"[2001:db8::1]x80\"", "for=\" 198.51.100.1\"", "for = 198.51.100.1",
                    "for=198.51.100.1 ;by=a", "for=198.51.100.1; by=a",
                    "for=198.51.100.1 for=198.51.100.2", "for;by=a", "=198.51.100.1", "for==a",
                    "f\xc3\xb6r=198.51.100.1, (", "junk junk, for=198.51.100.1"));

TEST(Forwarded, AProxyThatAppendsHasTheLastWord) {
    const auto forwarded = [](const Lines& lines) {
        return client("10.0.0.1", lines, ProxyHeader::forwarded);
    };
    // nginx: "$http_forwarded, for=$remote_addr".
    EXPECT_EQ(forwarded({"for=203.0.113.77;by=\", for=192.0.2.1"}), "refused");
    EXPECT_EQ(forwarded({", for=192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(forwarded({"for=203.0.113.77;by=\", for=\"[2001:db8::1]\""}), "refused");
    // haproxy: a line of its own.
    EXPECT_EQ(forwarded({"for=203.0.113.77;by=\"", "for=192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(forwarded({"for=203.0.113.77", "for=10.0.0.2"}), "203.0.113.77")
        << "what a trusted proxy passed on";
    EXPECT_EQ(forwarded({"for=203.0.113.77;by=\"", "for=10.0.0.2"}), "refused");
    EXPECT_EQ(forwarded({"for=203.0.113.77", ""}), "refused");
    EXPECT_EQ(client("10.0.0.1", Lines{"203.0.113.77", "192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", Lines{"203.0.113.77, \"", "192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(client("10.0.0.1", Lines{"\", 192.0.2.1"}), "192.0.2.1")
        << "X-Forwarded-For knows no quotation marks";
    EXPECT_EQ(client("10.0.0.1", Lines{"203.0.113.77", "192.0.2.1"}, ProxyHeader::x_real_ip),
              "refused");
}

/// Whatever a client sends, a proxy that appends decides whose address it is, or nobody does.
TEST(Forwarded, NoPrefixChangesWhoseAddressItIs) {
    std::mt19937 random(7239);
    static constexpr std::string_view pieces[] = {"\"",
                                                  "\\",
                                                  ",",
                                                  ";",
                                                  "=",
                                                  " ",
                                                  "\t",
                                                  "for",
                                                  "FOR",
                                                  "by",
                                                  "=\"",
                                                  "for=203.0.113.77",
                                                  "203.0.113.77",
                                                  "for=10.0.0.2",
                                                  "10.0.0.2",
                                                  "[",
                                                  "]",
                                                  ":",
                                                  "for=\"",
                                                  "\xff",
                                                  "(",
                                                  "[2001:db8::66]",
                                                  "%",
                                                  "for=\"[2001:db8::66]\""};
    std::size_t known = 0;
    constexpr int rounds = 20'000;
    for (int round = 0; round < rounds; ++round) {
        std::string prefix;
        for (auto count = random() % 9; count > 0; --count)
            prefix += pieces[random() % std::size(pieces)];
        const auto check = [&](const std::string& out, std::string_view right) {
            known += out == right ? 1 : 0;
            ASSERT_TRUE(out == right || out == "refused") << out << " by " << prefix;
        };
        for (const std::string_view mine : {"192.0.2.1", "\"[2001:db8::1]\"", "\"192.0.2.1:80\""}) {
            const std::string_view right =
                mine.find("2001") == std::string_view::npos ? "192.0.2.1" : "2001:db8::1";
            check(client("10.0.0.1", Lines{prefix + ", for=" + std::string(mine)},
                         ProxyHeader::forwarded),
                  right);
            check(client("10.0.0.1", Lines{prefix, "for=" + std::string(mine)},
                         ProxyHeader::forwarded),
                  right);
        }
        for (const std::string mine : {"192.0.2.1", "2001:db8::1"}) {
            check(client("10.0.0.1", Lines{prefix + ", " + mine}), mine);
            check(client("10.0.0.1", Lines{prefix, mine}), mine);
            check(client("10.0.0.1", Lines{prefix, mine}, ProxyHeader::x_real_ip), mine);
        }
    }
    EXPECT_GT(known, 7 * rounds) << "of twelve for each: most are understood";
}

TEST(Forwarded, ATcpProxyVouchesForNoHeader) {
    const Proxies known = proxies();
    const Lines lines{"203.0.113.88"};
    const auto behind = [&](const Peer& direct, const ProxyProtocolHeader& preamble) {
        const auto address = client_address(direct.behind(preamble, known), lines, known);
        return address ? address->to_string() : "refused";
    };
    const auto tcp = Peer::of(make_address("10.0.0.1"), known),
               local = Peer::of(std::nullopt, known);
    const ProxyProtocolHeader nobody{ProxyHeaderState::done, 15};
    const auto names = [](const char* address) {
        return ProxyProtocolHeader{ProxyHeaderState::done, 15, make_address(address)};
    };
    EXPECT_EQ(behind(tcp, nobody), "10.0.0.1");
    EXPECT_EQ(behind(local, nobody), "refused") << "a Unix socket's peer has no address";
    EXPECT_EQ(behind(tcp, names("192.0.2.9")), "192.0.2.9");
    EXPECT_EQ(behind(local, names("192.0.2.9")), "192.0.2.9");
    EXPECT_EQ(behind(tcp, names("10.0.0.7")), "203.0.113.88")
        << "an HTTP proxy of ours, behind the TCP proxy";
}

TEST(Forwarded, XRealIp) {
    EXPECT_EQ(client("10.0.0.1", "198.51.100.1", ProxyHeader::x_real_ip), "198.51.100.1");
    EXPECT_EQ(client("10.0.0.1", "198.51.100.1, 198.51.100.2", ProxyHeader::x_real_ip), "refused");
    EXPECT_EQ(client("192.0.2.9", "198.51.100.1", ProxyHeader::x_real_ip), "192.0.2.9");
}

TEST(AddressText, IsReadToItsEnd) {
    EXPECT_EQ(base::parse_address("192.0.2.1"), make_address("192.0.2.1"));
    EXPECT_EQ(base::parse_address("2001:db8:1111:2222:3333:4444:255.255.255.255"),
              make_address("2001:db8:1111:2222:3333:4444:ffff:ffff"));
    for (const std::string_view text :
         {std::string_view("192.0.2.1\0", 10), std::string_view("192.0.2.1\0junk", 14),
          std::string_view("::1\0", 4), std::string_view("\0", 1), std::string_view(),
          std::string_view(" ::1"), std::string_view("::1%1"), std::string_view("fe80::1%lo"),
          std::string_view("192.0.2"), std::string_view("192.0.2.1 ")}) {
        EXPECT_FALSE(base::parse_address(text)) << text;
    }
    EXPECT_FALSE(base::parse_address(std::string(1000, ':')));
}

TEST(Network, ParsesAndContains) {
    const auto contains = [](const char* network, const char* address) {
        return base::Network::parse(network)->contains(make_address(address));
    };
    EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
    EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
    EXPECT_TRUE(contains("192.0.2.0/23", "192.0.3.0"));
    EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
    for (const char* text :
         {"", "x", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/8x", "::/129"})
        EXPECT_TRUE(base::Network::parse(text).has_error()) << text;
}

}  // namespace
