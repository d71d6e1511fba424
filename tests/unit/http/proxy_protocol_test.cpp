// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

using namespace sftdyn::http;

namespace {

const std::string v2_start("\r\n\r\n\0\r\nQUIT\n", 12);

std::string v2(unsigned char command, unsigned char family, std::string_view rest) {
    std::string out = v2_start;
    out += static_cast<char>(command);
    out += static_cast<char>(family);
    out += static_cast<char>(rest.size() >> 8);
    out += static_cast<char>(rest.size() & 255);
    return out + std::string(rest);
}

std::string client(std::string_view octets) {
    const auto preamble = read_proxy_header(octets);
    if (preamble.state == ProxyHeaderState::more) return "more";
    if (preamble.state == ProxyHeaderState::bad) return "bad";
    return preamble.client ? preamble.client->to_string() : "none";
}

const std::string v4_addresses("\xc6\x33\x64\x07\xc0\x00\x02\x01\x30\x39\x00\x50", 12);
const std::string v6_addresses = std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16) +
                                 std::string(16, '\x01') + std::string(4, '\x02');
const std::string mapped_addresses =
    std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x07", 16) + std::string(20, '\x01');

TEST(ProxyProtocol, Version1) {
    EXPECT_EQ(client("PROXY TCP4 198.51.100.7 192.0.2.1 12345 80\r\nGET / HTTP/1.1\r\n"),
              "198.51.100.7");
    EXPECT_EQ(client("PROXY TCP6 2001:db8::7 2001:db8::1 12345 80\r\n"), "2001:db8::7");
    EXPECT_EQ(client("PROXY TCP6 ::ffff:198.51.100.7 2001:db8::1 12345 80\r\n"), "198.51.100.7");
    EXPECT_EQ(client("PROXY UNKNOWN\r\n"), "none");
    EXPECT_EQ(client("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "none");
    EXPECT_EQ(read_proxy_header("PROXY UNKNOWN\r\nrest").size, 15U);
}

TEST(ProxyProtocol, Version1Junk) {
    for (const char* text :
         {"PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP4 198.51.100.7 192.0.2.1 12345\r\n",
          "PROXY TCP4 198.51.100.7 192.0.2.1 12345 80 9\r\n",
          "PROXY TCP4 198.51.100.7 192.0.2.1 99999 80\r\n",
          "PROXY TCP4 198.51.100.7 192.0.2.1 012 80\r\n",
          "PROXY TCP4 198.51.100.7 192.0.2.1 -1 80\r\n",
          "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", "PROXY TCP6 198.51.100.7 192.0.2.1 1 2\r\n",
          "PROXY TCP4 198.51.100.7  192.0.2.1 1 2\r\n",
          "PROXY TCP4 198.51.100.007 192.0.2.1 1 2\r\n",
          "PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n", "PROXY TCP4 0.0.0.0 192.0.2.1 1 2\r\n",
          "PROXY UDP4 198.51.100.7 192.0.2.1 1 2\r\n", "PROXY tcp4 198.51.100.7 192.0.2.1 1 2\r\n",
          "GET / HTTP/1.1\r\n", "proxy TCP4", "\x16\x03\x01"}) {
        EXPECT_EQ(client(text), "bad") << text;
    }
    EXPECT_EQ(client(std::string_view("PROXY TCP4 198.51.100.7\0junk 192.0.2.1 1 2\r\n", 44)),
              "bad")
        << "an address that ends in a NUL";
    EXPECT_EQ(client(std::string_view("PROXY TCP4 198.51.100.7 192.0.2.1\0 1 2\r\n", 40)), "bad")
        << "a destination that ends in a NUL";
    EXPECT_EQ(client("PROXY TCP4 " + std::string(100, '1')), "bad") << "no end within 107 octets";
}

TEST(ProxyProtocol, Version2) {
    EXPECT_EQ(client(v2(0x21, 0x11, v4_addresses) + "GET"), "198.51.100.7");
    EXPECT_EQ(client(v2(0x21, 0x21, v6_addresses)), "2001:db8::7");
    EXPECT_EQ(client(v2(0x21, 0x21, mapped_addresses)), "198.51.100.7");
    EXPECT_EQ(client(v2(0x21, 0x11, v4_addresses + "\x04\x00\x01x")), "198.51.100.7")
        << "TLVs are passed over";
    EXPECT_EQ(client(v2(0x20, 0x00, "")), "none") << "LOCAL";
    EXPECT_EQ(client(v2(0x20, 0x11, v4_addresses)), "none") << "LOCAL, whatever the address";
    EXPECT_EQ(client(v2(0x21, 0x31, std::string(216, 'x'))), "none") << "AF_UNIX";
    EXPECT_EQ(client(v2(0x21, 0x00, "")), "none") << "AF_UNSPEC";
    EXPECT_EQ(read_proxy_header(v2(0x21, 0x11, v4_addresses) + "GET").size, 28U);
}

TEST(ProxyProtocol, Version2Junk) {
    EXPECT_EQ(client(v2(0x11, 0x11, v4_addresses)), "bad") << "another version";
    EXPECT_EQ(client(v2(0x22, 0x11, v4_addresses)), "bad") << "another command";
    EXPECT_EQ(client(v2(0x21, 0x41, v4_addresses)), "bad") << "another family";
    EXPECT_EQ(client(v2(0x21, 0x11, "\x01\x02")), "bad") << "too short for its family";
    EXPECT_EQ(client(v2(0x21, 0x21, v4_addresses)), "bad") << "too short for its family";
    EXPECT_EQ(client(v2(0x21, 0x11, std::string(12, '\0'))), "bad") << "0.0.0.0";
    EXPECT_EQ(client(v2(0x21, 0x21,
                        std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0", 16) +
                            std::string(20, '\x01'))),
              "bad")
        << "::ffff:0.0.0.0";
    EXPECT_EQ(client(v2(0x21, 0x11, v4_addresses + std::string(longest_proxy_header, 'x'))), "bad")
        << "too long";
}

TEST(ProxyProtocol, ItMayComeOctetByOctet) {
    for (const std::string& whole : {std::string("PROXY TCP4 198.51.100.7 192.0.2.1 12345 80\r\n"),
                                     v2(0x21, 0x11, v4_addresses)}) {
        for (std::size_t size = 0; size < whole.size(); ++size)
            EXPECT_EQ(client(std::string_view(whole).substr(0, size)), "more") << size;
        EXPECT_EQ(client(whole), "198.51.100.7");
    }
}

TEST(ProxyProtocol, NothingBehindItIsRead) {
    for (const std::string& whole : {std::string("PROXY TCP4 198.51.100.7 192.0.2.1 12345 80\r\n"),
                                     std::string("PROXY UNKNOWN\r\n"), v2(0x20, 0x00, ""),
                                     v2(0x21, 0x11, v4_addresses + "\x04\x00\x01x")}) {
        // As much as it asks for, or one octet at a time.
        for (const std::size_t piece : {std::size_t{1}, longest_proxy_header}) {
            ProxyHeaderReader reader;
            std::size_t taken = 0;
            auto state = ProxyHeaderState::more;
            while (state == ProxyHeaderState::more) {
                const auto space = reader.space();
                ASSERT_GT(space.size(), 0U);
                const std::size_t size = std::min(space.size(), piece);
                ASSERT_LE(taken + size, whole.size());
                std::memcpy(space.data(), whole.data() + taken, size);
                taken += size;
                state = reader.received(size).state;
            }
            EXPECT_EQ(state, ProxyHeaderState::done);
            EXPECT_EQ(taken, whole.size());
        }
    }
}

}  // namespace
