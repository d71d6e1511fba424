// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/idna.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace sftdyn::dns {
namespace {

TEST(Idna, AsciiComesBackAsItIs) {
    for (const char* text :
         {"", "home.example.org", "Home.Example.org.", "*.a_b.org", "-bad..name"})
        EXPECT_EQ(idna_form(text).value(), text);
}

TEST(Idna, OtherLettersBecomeTheirForm) {
    EXPECT_EQ(idna_form("büro.dyn.example.org").value(), "xn--bro-hoa.dyn.example.org");
    EXPECT_EQ(idna_form("Büro.Example.org.").value(), "xn--bro-hoa.example.org.");
    EXPECT_EQ(idna_form("straße.example.org").value(), "xn--strae-oqa.example.org");
    EXPECT_EQ(idna_form("*.büro.example.org").value(), "*.xn--bro-hoa.example.org");
    EXPECT_EQ(idna_form("u\u0308ber.example.org").value(), "xn--ber-goa.example.org")
        << "a letter and its accent are one letter";
}

TEST(Idna, WhatNoNameCanHaveIsRefusedWithoutBeingQuoted) {
    const std::vector<std::string> texts{"secret\xff.example.org", "secret\u202e\u00fc.example.org",
                                         std::string("secret\u00fc\0.example.org", 22),
                                         "secret\u00fc" + std::string(70, 'a') + ".example.org"};
    for (const auto& text : texts) {
        const auto form = idna_form(text);
        ASSERT_TRUE(form.has_error()) << text;
        EXPECT_THAT(form.error().text(), testing::Not(testing::HasSubstr("secret")));
    }
}

TEST(Idna, PeopleSeeTheLetters) {
    EXPECT_EQ(idna_shown("xn--bro-hoa.dyn.example.org"), "büro.dyn.example.org");
    EXPECT_EQ(idna_shown("home.example.org"), "home.example.org");
    const std::string none = "xn--" + std::string(60, '9') + ".example.org";
    EXPECT_EQ(idna_shown(none), none) << "it is no form of any name";
}

}  // namespace
}  // namespace sftdyn::dns
