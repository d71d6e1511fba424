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
    ASSERT_TRUE(parsed.line) << parsed.text;
    EXPECT_EQ(parsed.line->command, Command::serve);
    EXPECT_EQ(parsed.line->conf, "c.toml");
    ASSERT_EQ(parsed.line->http.size(), 2U);
    EXPECT_EQ(parsed.line->http[1].port, 81);
    EXPECT_EQ(parsed.line->key_file, "k");
    EXPECT_EQ(parsed.line->verbosity, 1);
    EXPECT_TRUE(parsed.line->debug);
}

TEST(CommandLine, OptionsMayComeFirst) {
    const auto parsed = parse({"-l", "8080", "c.toml"});
    ASSERT_TRUE(parsed.line) << parsed.text;
    EXPECT_EQ(parsed.line->conf, "c.toml");
}

TEST(CommandLine, Commands) {
    EXPECT_EQ(parse({"check", "c.toml"}).line->command, Command::check);
    EXPECT_EQ(parse({"check", "c.toml"}).line->conf, "c.toml");
    EXPECT_EQ(parse({"demo", "--dns-port", "0"}).line->command, Command::demo);
    EXPECT_EQ(parse({"./check"}).line->command, Command::serve);
}

TEST(CommandLine, HelpVersionAndErrors) {
    EXPECT_EQ(parse({"--help"}).status, 0);
    EXPECT_NE(parse({"--version"}).text.find("sftdyn 1.2.3"), std::string::npos);
    EXPECT_EQ(parse({"--none"}).status, 2);
    EXPECT_EQ(parse({"-l", "x"}).status, 2);
    EXPECT_NE(parse({"-l", "x"}).text.find("no address to listen on"), std::string::npos);
}

}  // namespace
