#include "dns/record.hpp"

#include <gtest/gtest.h>

using namespace sftdyn::dns;
using boost::asio::ip::make_address;

TEST(Record, TypeFollowsTheFamily) {
    EXPECT_EQ(type_of(make_address("192.0.2.1")), Type::a);
    EXPECT_EQ(type_of(make_address("2001:db8::1")), Type::aaaa);
    EXPECT_EQ(type_text(static_cast<Type>(999)), "TYPE999");
}

TEST(Record, AddressToDataAndBack) {
    for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::"}) {
        const auto address = make_address(text);
        EXPECT_EQ(address_of(type_of(address), rdata_of(address)).value(), address);
        EXPECT_EQ(rdata_text(type_of(address), rdata_of(address)), text);
    }
    EXPECT_EQ(rdata_of(make_address("192.0.2.1")), std::string("\xc0\x00\x02\x01", 4));
}

TEST(Record, DataOfTheWrongSizeIsNoAddress) {
    EXPECT_TRUE(address_of(Type::a, "12345").has_error());
    EXPECT_TRUE(address_of(Type::aaaa, "1234").has_error());
    EXPECT_TRUE(address_of(Type::ptr, "1234").has_error());
    EXPECT_EQ(rdata_text(Type::a, "12345"), "?");
}

TEST(Record, ReverseNames) {
    EXPECT_EQ(reverse_name(make_address("192.0.2.1")).text(), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(reverse_name(make_address("2001:db8::567:89ab")).text(), "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(Record, SizeBoundCountsBothRecordsOfAReplacement) {
    const Name owner = *Name::parse("a.example.org");
    const Change replace{owner, Type::a, Change::Kind::replace, 30, std::string(4, 'x')};
    EXPECT_EQ(wire_size_bound(replace), 2 * (owner.size() + 10) + 4);
    const Change remove{owner, Type::a, Change::Kind::remove};
    EXPECT_EQ(wire_size_bound(remove), owner.size() + 10);
}
