// SPDX-License-Identifier: GPL-3.0-or-later
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
    EXPECT_EQ(reverse_name(make_address("2001:db8::567:89ab")).text(),
              "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(Record, SizeBoundCountsAllRecordsOfAChange) {
    const Name owner = *Name::parse("a.example.org");
    const Change replace{owner, Type::a, ChangeKind::replace, 30, std::string(4, 'x')};
    const Name zone = *Name::parse("example.org"), far = *Name::parse("org");
    EXPECT_EQ(wire_size_bound(replace, zone), 3 * (owner.size() + 10) + 4)
        << "and that there is no CNAME";
    EXPECT_EQ(wire_size_bound(replace, far), 5 * (owner.size() + 10) + 4)
        << "and what may hide it above";
    const Change claim{owner, Type::a, ChangeKind::claim, 30, std::string(4, 'x')};
    EXPECT_EQ(wire_size_bound(claim, far), 3 * (owner.size() + 10) + 4)
        << "its prerequisites are records too";
    const Change remove{owner, Type::a, ChangeKind::remove};
    EXPECT_EQ(wire_size_bound(remove, far), owner.size() + 10);
}

TEST(Record, AMessageThatReplacesAnRrsetIsAChange) {
    const Name host = *Name::parse("h.example"), other = *Name::parse("o.example");
    const UpdateRecord remove{host, Type::a, UpdateRecord::Class::any, 0, {}},
        add{host, Type::a, UpdateRecord::Class::in, 60, "1234"};
    const auto of = [](std::vector<UpdateRecord> updates,
                       std::vector<UpdateRecord> prerequisites = {}) {
        return replacement_of({std::nullopt, std::move(prerequisites), std::move(updates)});
    };
    EXPECT_EQ(of({remove, add}), (Change{host, Type::a, ChangeKind::replace, 60, "1234"}));
    const UpdateRecord all{host, Type(255), UpdateRecord::Class::any, 0, {}},
        one{host, Type::a, UpdateRecord::Class::none, 0, "1234"};
    const UpdateRecord other_type{host, Type::aaaa, UpdateRecord::Class::any, 0, {}},
        other_host{other, Type::a, UpdateRecord::Class::any, 0, {}};
    for (const auto& first : {all, one, other_type, other_host, add})
        EXPECT_FALSE(of({first, add}));
    EXPECT_FALSE(of({add, remove}));
    EXPECT_FALSE(of({remove}));
    EXPECT_FALSE(of({add}));
    EXPECT_FALSE(of({remove, add, add}));
    EXPECT_FALSE(of({remove, add}, {all}));
    EXPECT_FALSE(of({}));
}
