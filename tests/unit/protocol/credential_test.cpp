// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/credential.hpp"

#include <gtest/gtest.h>

#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {
namespace {

TEST(Credential, LatinOneIsReadWhereItIsNoUtf8) {
    for (const char* good : {"", "abc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\xa6\x86"})
        EXPECT_EQ(as_utf8(good), good);
    EXPECT_EQ(as_utf8("\xe4"), "\xc3\xa4");
    EXPECT_EQ(as_utf8("\xc0\x80"), "\xc3\x80\xc2\x80") << "longer than needed";
    EXPECT_EQ(as_utf8("\xed\xa0\x80").size(), 6U) << "a surrogate";
}

std::string credential_text(const Credential& one) {
    return one.user.value_or("-") + "/" +
           (one.secret ? std::string(one.secret->reveal()) : std::string("-")) +
           (one.may_be_password ? "?" : "");
}

TEST(Credential, OfAnAuthorizationField) {
    for (const auto& [field, expected] : {std::pair("Basic dTpw", "u/p"),
                                          {"BASIC   dTpw  ", "u/p"},
                                          {"Basic dXNlcjpwYTpzcw==", "user/pa:ss"},
                                          {"Basic 5Dr2", "\xc3\xa4/\xc3\xb6"},
                                          {"Token a b", "-/a b"},
                                          {"bearer t", "-/t"},
                                          {"Basic", "-/-"},
                                          {"Basic dXNlcg==", "-/-"},
                                          {"Basic !", "-/-"},
                                          {"Token ", "-/-"},
                                          {"Digest x=y", "-/-"},
                                          {"", "-/-"}})
        EXPECT_EQ(credential_text(credential_of(std::string_view(field))), expected) << field;
}

TEST(Credential, OfParameters) {
    const auto text = [](std::string_view query) {
        Parameters parameters;
        parameters.add(query);
        return credential_text(credential_of(parameters));
    };
    EXPECT_EQ(text("user=u&password=p"), "u/p");
    EXPECT_EQ(text("LOGIN=u&PASSWD=p"), "u/p");
    EXPECT_EQ(text("password=p"), "-/p?") << "of the host's user";
    EXPECT_EQ(text("token=t"), "-/t");
    EXPECT_EQ(text("user=%E4&pw=%C3%B6"), "\xc3\xa4/\xc3\xb6");
    EXPECT_EQ(text("hostname=a.b"), "-/-");
}

}  // namespace
}  // namespace sftdyn::protocol
