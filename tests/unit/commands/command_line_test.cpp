// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/command_line.hpp"

#include <gtest/gtest.h>

using namespace sftdyn::commands;

namespace {

Parsed parse(std::vector<const char*> words) {
    words.insert(words.begin(), "sftdyn");
    return parse_command_line(static_cast<int>(words.size()), words.data(), "1.2.3");
}

TEST(CommandLine, Serve) {
    const auto parsed = parse(
        {"c.toml", "-l", "8080", "--http", "[::1]:81", "--nskeyfile", "k", "-vv", "-q", "-d"});
    ASSERT_TRUE(parsed.run) << parsed.text;
    EXPECT_EQ(parsed.command, "");
    EXPECT_EQ(parsed.overrides->conf, "c.toml");
    ASSERT_EQ(parsed.overrides->http.size(), 2U);
    EXPECT_EQ(parsed.overrides->http[1].port, 81);
    EXPECT_EQ(parsed.overrides->key_file, "k");
    EXPECT_EQ(parsed.overrides->verbosity, 1);
    EXPECT_TRUE(parsed.overrides->debug);
}

TEST(CommandLine, OptionsMayComeFirst) {
    const auto parsed = parse({"-l", "8080", "c.toml"});
    ASSERT_TRUE(parsed.run) << parsed.text;
    EXPECT_EQ(parsed.overrides->conf, "c.toml");
}

TEST(CommandLine, WhatThePythonSftdynTookIsTaken) {
    EXPECT_EQ(parse({"-i", "--interactive", "./conf"}).status, 0);
    const auto shortened = parse({"--nskey", "n", "--deb", "--htt=1", "--htt", "2", "./conf"});
    EXPECT_EQ(shortened.status, 2) << "http or https?";
    const auto parsed = parse({"--nsk", "n", "--verb", "--deb", "--cer=c", "./conf"});
    ASSERT_EQ(parsed.status, 0) << parsed.text;
    EXPECT_EQ(parsed.overrides->key_file, "n");
    EXPECT_EQ(parsed.overrides->cert, "c");
    EXPECT_EQ(parsed.overrides->verbosity, 1);
    EXPECT_TRUE(parsed.overrides->debug);
    EXPECT_EQ(parse({"check", "--verb"}).status, 2) << "commands were never its";
}

TEST(CommandLine, Commands) {
    EXPECT_EQ(parse({"check", "c.toml"}).command, "check");
    EXPECT_EQ(parse({"check", "c.toml"}).overrides->conf, "c.toml");
    EXPECT_EQ(parse({"demo", "--dns-port", "0"}).command, "demo");
    EXPECT_EQ(parse({"./check"}).command, "");
}

TEST(CommandLine, HelpIsACommandToo) {
    const auto help = parse({"help"});
    EXPECT_FALSE(help.run);
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.text, parse({"--help"}).text);
    EXPECT_EQ(parse({"help", "doctor"}).text, parse({"doctor", "--help"}).text);
    EXPECT_EQ(parse({"help", "nonsense"}).status, 2);
}

TEST(CommandLine, AWordThatIsNoCommandAndNoFileIsMistyped) {
    const auto parsed = parse({"stauts"});
    EXPECT_FALSE(parsed.run);
    EXPECT_EQ(parsed.status, 2);
    EXPECT_NE(parsed.text.find("there is no command and no file \"stauts\"; did you mean status?"),
              std::string::npos)
        << parsed.text;
    EXPECT_EQ(parse({"frobnicate"}).text.find("did you mean"), std::string::npos);
    for (const char* file : {"none.toml", "./none", "/etc/none", "conf2"})
        EXPECT_TRUE(parse({file}).run) << file;
}

TEST(CommandLine, WhatStandsInFrontOfACommandCounts) {
    const auto parsed = parse({"--nskeyfile", "k", "-l", "8080", "check", "c.toml"});
    ASSERT_TRUE(parsed.run) << parsed.text;
    EXPECT_EQ(parsed.command, "check");
    EXPECT_EQ(parsed.overrides->key_file, "k");
    EXPECT_EQ(parsed.overrides->http.size(), 1U);
}

TEST(CommandLine, ACommandTakesItsOwnOptionsOnly) {
    EXPECT_EQ(parse({"--days", "3"}).status, 2);
    EXPECT_EQ(parse({"cert", "--json"}).status, 2);
    for (const auto& words : std::vector<std::vector<const char*>>{
             {"check", "--nskeyfile", "k", "c"},
             {"convert", "conf", "c.toml"},
             {"doctor", "--host", "h", "--resolver", "::1", "--named-conf", "f", "--json",
              "--server", "::1"},
             {"setup", "bind", "example.org", "--write", "/"},
             {"status", "--socket", "s", "--json", "--watch", "c"},
             {"demo", "-l", "8080", "--dns-port", "0", "-v"},
             {"cert", "--days", "3", "--dir", "d", "a", "b"},
             {"password"},
             {"client", "home", "c.toml", "--url", "https://h:4443/x", "--show"}}) {
        const auto parsed = parse(words);
        EXPECT_TRUE(parsed.run) << parsed.text;
        EXPECT_EQ(parsed.command, words.front());
    }
}

TEST(CommandLine, TheServersUrlIsChecked) {
    for (const char* url : {"http://h", "https://dyn.example.org:4443/",
                            "https://[2001:db8::1]:1/a/b", "http://192.0.2.1:8080"})
        EXPECT_TRUE(parse({"client", "home", "--url", url}).run) << url;
    for (const char* url :
         {"", "ftp://h", "h", "nonsense", "http://", "http://h:0", "http://h:99999", "http://a b",
          "http://h/'", "http://h/$(id)", "http://h/%0a", "http://user@h", "http://*.h",
          "http://[192.0.2.1]", "HTTP//h", "http://h/\nExecStart=/bin/false", "http://h/?a"}) {
        const auto parsed = parse({"client", "home", "--url", url});
        EXPECT_FALSE(parsed.run) << url;
        EXPECT_EQ(parsed.status, 2) << url;
        EXPECT_NE(parsed.text.find("expected for example https://"), std::string::npos)
            << parsed.text;
    }
}

TEST(CommandLine, HelpVersionAndErrors) {
    EXPECT_EQ(parse({"--help"}).status, 0);
    EXPECT_NE(parse({"--version"}).text.find("sftdyn 1.2.3"), std::string::npos);
    EXPECT_EQ(parse({"--none"}).status, 2);
    EXPECT_EQ(parse({"-l", "x"}).status, 2);
    EXPECT_NE(parse({"-l", "x"}).text.find("not an address to listen on"), std::string::npos);
}

}  // namespace
