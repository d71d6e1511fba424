// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/common_options.hpp"

#include <gmock/gmock.h>

#include "commands/command_line.hpp"

namespace sftdyn::commands {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Parsed parsed_of(std::vector<const char*> words) {
    words.insert(words.begin(), "sftdyn");
    return parse_command_line(static_cast<int>(words.size()), words.data(), "1.2.3");
}

TEST(CommonOptions, WithoutThemNothingIsOverridden) {
    const auto parsed = parsed_of({});
    ASSERT_TRUE(parsed.run);
    const auto& overrides = *parsed.overrides;
    EXPECT_FALSE(overrides.conf || overrides.cert || overrides.key || overrides.key_file);
    EXPECT_TRUE(overrides.http.empty() && overrides.https.empty() && overrides.servers.empty());
    EXPECT_EQ(overrides.verbosity, 0);
    EXPECT_FALSE(overrides.debug);
}

TEST(CommonOptions, AnEmptyFileIsNone) {
    const auto parsed = parsed_of({"check", "", "--nskeyfile", ""});
    ASSERT_TRUE(parsed.run) << parsed.text;
    EXPECT_FALSE(parsed.overrides->conf);
    EXPECT_FALSE(parsed.overrides->key_file);
}

TEST(CommonOptions, ServersAddUp) {
    const auto parsed = parsed_of({"--server", "192.0.2.1", "--server", "[::1]:5353", "c.toml"});
    ASSERT_TRUE(parsed.run) << parsed.text;
    const auto& servers = parsed.overrides->servers;
    ASSERT_EQ(servers.size(), 2U);
    EXPECT_EQ(text_of(servers[0]), "192.0.2.1:53");
    EXPECT_EQ(text_of(servers[1]), "[::1]:5353");
    EXPECT_EQ(parsed.overrides->conf, "c.toml") << "it is no server";
}

TEST(CommonOptions, ListenersAddUpForEachScheme) {
    const auto parsed =
        parsed_of({"-l", "81", "--http", "unix:/run/s", "-s", "[::1]:444", "c.toml"});
    ASSERT_TRUE(parsed.run) << parsed.text;
    ASSERT_EQ(parsed.overrides->http.size(), 2U);
    EXPECT_EQ(parsed.overrides->http[0].port, 81);
    EXPECT_EQ(parsed.overrides->http[1].path, "/run/s");
    ASSERT_EQ(parsed.overrides->https.size(), 1U);
    EXPECT_EQ(parsed.overrides->https[0].port, 444);
    EXPECT_EQ(parsed.overrides->conf, "c.toml");
}

TEST(CommonOptions, WhoTypedAValueThatIsNoneSeesItAgainUpToALimit) {
    const auto server = parsed_of({"--server", "ns.example.org"});
    EXPECT_EQ(server.status, 2);
    EXPECT_THAT(server.text, HasSubstr("\"ns.example.org\": this is not a server address"));
    const std::string large(300, 'x');
    const auto listen = parsed_of({"-l", large.c_str()});
    EXPECT_EQ(listen.status, 2);
    EXPECT_THAT(listen.text, HasSubstr('"' + large.substr(0, 80) + "\": this is not an address"));
}

TEST(CommonOptions, VerbosityIsCounted) {
    EXPECT_EQ(parsed_of({"-v"}).overrides->verbosity, 1);
    EXPECT_EQ(parsed_of({"-vv", "--verbose"}).overrides->verbosity, 3);
    EXPECT_EQ(parsed_of({"-q"}).overrides->verbosity, -1);
    EXPECT_EQ(parsed_of({"-qq", "-v"}).overrides->verbosity, -1);
    EXPECT_TRUE(parsed_of({"-d"}).overrides->debug);
    EXPECT_TRUE(parsed_of({"--debug"}).overrides->debug);
}

}  // namespace
}  // namespace sftdyn::commands
