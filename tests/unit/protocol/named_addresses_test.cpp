// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/named_addresses.hpp"

#include <gtest/gtest.h>

namespace sftdyn::protocol {
namespace {

const auto v4_source = boost::asio::ip::make_address("192.0.2.99");

/// "v4 v6 prefix unusable", with "-" for what is absent, and the flags.
std::string read_all(std::string_view text, Family family = Family::any,
                     const boost::asio::ip::address& source = v4_source) {
    Addresses into;
    for (const auto part : split_list(text, 20)) read_address(part, family, source, into);
    std::string out = (into.v4 ? into.v4->address.to_string() : "-") + ' ' +
                      (into.v6 ? into.v6->address.to_string() : "-") + ' ';
    out += into.prefix
               ? into.prefix->network.to_string() + '/' + std::to_string(into.prefix->length)
               : "-";
    out += ' ' + (into.unusable.empty() ? "-" : into.unusable);
    if (into.keep_v4) out += " keep4";
    if (into.keep_v6) out += " keep6";
    if (into.has_several) out += " several";
    return out;
}

TEST(NamedAddresses, AListIsSplitWithoutEmptyParts) {
    using Parts = std::vector<std::string_view>;
    EXPECT_EQ(split_list(" a , b,,c ", 9), (Parts{"a", "b", "c"}));
    EXPECT_EQ(split_list("", 9), Parts());
    EXPECT_EQ(split_list(" , ,", 9), Parts());
    EXPECT_EQ(split_list("a,b,c,d", 2), (Parts{"a", "b", "c"}))
        << "one more shows that there are more";
}

TEST(NamedAddresses, AddressesPrefixesAndWords) {
    for (const auto& [text, expected] :
         {std::pair("192.0.2.1", "192.0.2.1 - - -"),
          {"192.0.2.1,2001:db8::1", "192.0.2.1 2001:db8::1 - -"},
          {"[2001:db8::1]", "- 2001:db8::1 - -"},
          {"::ffff:192.0.2.1", "192.0.2.1 - - -"},
          {"192.0.2.1/24", "192.0.2.1 - - -"},
          {"2001:db8::1/64", "- 2001:db8::1 - -"},
          {"2001:db8:1::/56", "- - 2001:db8:1::/56 -"},
          {"192.0.2.0/24", "- - - 192.0.2.0/24"},
          {"192.0.2.1/33", "- - - 192.0.2.1/33"},
          {"2001:db8::/129", "- - - 2001:db8::/129"},
          {"preserve", "- - - - keep4"},
          {"auto", "192.0.2.99 - - -"},
          {"192.0.2.1,192.0.2.1", "192.0.2.1 - - -"},
          {"192.0.2.1,192.0.2.2", "192.0.2.1 - - - several"},
          {"2001:db8:1::/56,2001:db8:2::/56", "- - 2001:db8:1::/56 - several"},
          {"192.0.2.1,junk", "192.0.2.1 - - junk"}})
        EXPECT_EQ(read_all(text), expected) << text;
}

TEST(NamedAddresses, WhatNoHostCanHaveAndWhatIsNoAddressIsUnusable) {
    for (const char* text : {"0.0.0.0", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::",
                             "ff02::1", "fe80::1", "fe80::1%eth0", "::ffff:0.0.0.0", "192.0.2.01",
                             "192.0.2", "192.0.2.1 x", "0x7f000001", "<ip>", "127.0.0.1"})
        EXPECT_EQ(read_all(text), std::string("- - - ") + text) << text;
    EXPECT_EQ(read_all(std::string(1000, 'x')).size(), 6U + 80U);
}

TEST(NamedAddresses, AFamilysParameterTakesThatFamily) {
    EXPECT_EQ(read_all("preserve", Family::v6), "- - - - keep6");
    EXPECT_EQ(read_all("auto", Family::v4), "192.0.2.99 - - -");
    EXPECT_EQ(read_all("auto", Family::v6), "- - - auto") << "the source has another";
}

TEST(NamedAddresses, APrefixHasALength) {
    const auto read_one = [](std::string_view text) {
        Addresses into;
        read_prefix(text, into);
        return into.prefix ? std::to_string(into.prefix->length) : "unusable " + into.unusable;
    };
    EXPECT_EQ(read_one("2001:db8:1::/56"), "56");
    EXPECT_EQ(read_one("2001:db8:1::"), "64");
    EXPECT_EQ(read_one("2001:db8:1::/8"), "8");
    EXPECT_EQ(read_one("2001:db8:1::/127"), "127");
    for (const char* bad : {"2001:db8:1::/7", "2001:db8:1::/128", "192.0.2.0/24", "fe80::/64", "x"})
        EXPECT_EQ(read_one(bad), std::string("unusable ") + bad);
}

}  // namespace
}  // namespace sftdyn::protocol
