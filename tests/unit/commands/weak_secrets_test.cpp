// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/weak_secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/toml_reader.hpp"

namespace sftdyn::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> said_of(const std::string& text) {
    config::Loaded loaded;
    loaded.conf = "/c.toml";
    for (const auto& diagnostic : config::read_toml(text, loaded.conf, loaded.settings))
        ADD_FAILURE() << diagnostic.text();
    std::vector<std::string> out;
    for (const auto& weakness : weak_keys(loaded)) out.push_back(weakness.error.text());
    return out;
}

TEST(WeakSecrets, WordsAndNumbersAreWorthLessThanRandomText) {
    for (const char* weak : {"", "a", "home", "password", "home-router-1",
                             "aaaaaaaaaaaaaaaaaaaaaaaa", "0123456789", "20261125", "deadbeef"})
        EXPECT_LT(bits_of(weak), enough_bits) << weak;
    for (const char* good : {"90bb4f0c1d2e3a4b5c6d7e8f90a1b2c3", "6fd2c1a7e05b4d83",
                             "k9Zq7vT2mX4wB8", "correct horse battery staple"})
        EXPECT_GE(bits_of(good), enough_bits) << good;
}

TEST(WeakSecrets, GoodKeysAreNotTold) {
    EXPECT_THAT(said_of("[clients]\n\"90bb4f0c1d2e3a4b5c6d7e8f90a1b2c3\" = \"home.example.org\"\n"),
                IsEmpty());
    EXPECT_THAT(said_of("[clients.n]\nuser = \"u\"\npassword = \"6fd2c1a7e05b4d83\"\nhosts = "
                        "[\"n.example.org\"]\n"),
                IsEmpty());
}

TEST(WeakSecrets, EachIsToldByItsLine) {
    EXPECT_THAT(said_of("[clients]\n\"home\" = \"home.example.org\"\n"),
                ElementsAre(HasSubstr(
                    "/c.toml:2: this client's key is short or plain enough to be guessed")));
    EXPECT_THAT(said_of("[clients]\n\"a-very-long-name.of-a-host.dyn.example.org\" = "
                        "\"a-very-long-name.of-a-host.dyn.example.org\"\n"),
                ElementsAre(HasSubstr("is a name that everybody knows")));
    EXPECT_THAT(said_of("[clients]\n\"https://dyn.example.org:4443/"
                        "90bb4f0c1d2e3a4b5c6d7e8f90a1b2c3\" = \"home.example.org\"\n"),
                ElementsAre(HasSubstr("is a whole URL")));
    EXPECT_THAT(
        said_of("[clients.n]\nuser = \"u\"\npassword = \"qz5\"\nhosts = [\"n.example.org\"]\n"),
        ElementsAre(HasSubstr("/c.toml:1: this client's password is short or plain")));
}

TEST(WeakSecrets, AKeyThatShadowsAnother) {
    const auto said = said_of(
        "[clients]\n\"6fd2c1a7%20e05b4d83\" = \"a.example.org\"\n\"6fd2c1a7 e05b4d83\" = "
        "\"b.example.org\"\n");
    EXPECT_THAT(
        said,
        ElementsAre(HasSubstr(
            "/c.toml:2: this client's key is the percent-encoded form of the one in line 3")));
    EXPECT_THAT(said_of("[clients]\n\"6fd2c1a7%e05b4d83%41x\" = "
                        "\"a.example.org\"\n\"6fd2c1a7e05b4d83\" = \"b.example.org\"\n"),
                IsEmpty());
    const auto named = said_of(
        "[clients]\n\"6fd2c1a7%2fe05b4d83\" = \"a.example.org\"\n[clients.n]\nkey = "
        "\"6fd2c1a7/e05b4d83\"\nhosts = [\"b.example.org\"]\n");
    EXPECT_THAT(named, ElementsAre(HasSubstr("the percent-encoded form of the one in line 3")));
}

TEST(WeakSecrets, NotMoreThanAFewAreToldOneByOne) {
    std::string text = "[clients]\n";
    for (int i = 0; i < 50; ++i)
        text += "\"k" + std::to_string(i) + "\" = \"h" + std::to_string(i) + ".example.org\"\n";
    const auto said = said_of(text);
    ASSERT_EQ(said.size(), most_told + 1);
    EXPECT_THAT(said.back(), HasSubstr("40 more keys or passwords like these"));
    for (const auto& one : said) EXPECT_THAT(one, testing::Not(HasSubstr("k4")));
}

}  // namespace
}  // namespace sftdyn::commands
