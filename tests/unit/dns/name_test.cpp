// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/name.hpp"

#include <gtest/gtest.h>

using sftdyn::dns::Name;

TEST(Name, ReadsAndWritesPresentationForm) {
    EXPECT_EQ(Name::parse("Home.Example.ORG")->text(), "home.example.org");
    EXPECT_EQ(Name::parse("home.example.org.")->text(), "home.example.org");
    EXPECT_EQ(Name::parse(".")->text(), ".");
    EXPECT_TRUE(Name::parse(".")->is_root());
}

TEST(Name, IsLowerCaseWire) {
    EXPECT_EQ(Name::parse("A.bC")->bytes(), std::string("\1a\2bc\0", 6));
}

TEST(Name, RefusesWhatIsNoName) {
    for (const std::string& text :
         {std::string(), std::string("a..b"), std::string(".a"), std::string(64, 'a')})
        EXPECT_TRUE(Name::parse(text).has_error()) << text;
    std::string labels;
    for (int i = 0; i < 128; ++i) labels += "a.";
    EXPECT_TRUE(Name::parse(labels).has_error());
    EXPECT_TRUE(Name::parse(std::string_view("a\0b", 3)).has_error());
    EXPECT_TRUE(Name::parse(std::string(63, 'a') + ".org").has_value());
}

TEST(Name, SaysWhatIsWrong) {
    EXPECT_NE(Name::parse("a..b").error().what.find("a label is empty"), std::string::npos);
    EXPECT_NE(Name::parse(std::string(64, 'a')).error().what.find("longer than 63"),
              std::string::npos);
    EXPECT_EQ(Name::parse("a\nb..").error().what.find('\n'), std::string::npos);
}

TEST(Name, HostsAreOfLettersDigitsAndHyphens) {
    for (const char* text : {"a", "a-1.example.org", "_x.example.org", "*.example.org"})
        EXPECT_TRUE(Name::parse_host(text).has_value()) << text;
    for (const char* text : {".", "a b.org", "a\\046b.org", "a.*.org", "a/b", "ümlaut.org", "a@b"})
        EXPECT_TRUE(Name::parse_host(text).has_error()) << text;
}

TEST(Name, KnowsItsZoneAndParent) {
    const Name host = *Name::parse("a.b.example.org");
    EXPECT_TRUE(host.is_within(*Name::parse("example.org")));
    EXPECT_TRUE(host.is_within(host));
    EXPECT_TRUE(host.is_within(Name()));
    EXPECT_FALSE(host.is_within(*Name::parse("ample.org")));
    EXPECT_FALSE(Name::parse("example.org")->is_within(host));
    EXPECT_EQ(host.parent().text(), "b.example.org");
    EXPECT_TRUE(Name().parent().is_root());
}
