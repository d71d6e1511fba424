// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_admin.hpp"

#include <gmock/gmock.h>

#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TomlAdmin, EachIsTaken) {
    const ReadText read(
        "[process]\nuser = \"root\"\nseccomp = false\nlandlock = false\n[admin]\nmetrics = [9153, "
        "\"[::1]:9154\"]\ncontrol = \"run/control\"\nstate = \"/var/state\"\nstale_after = "
        "60\nevent_command = [\"/bin/sh\", \"-c\", \"echo \\n\", \"\"]\nevent_commands_at_once = "
        "2\nevent_command_time = "
        "1.5\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_EQ(read.settings.user, "root");
    EXPECT_FALSE(read.settings.seccomp);
    EXPECT_FALSE(read.settings.landlock);
    const auto& admin = read.settings.admin;
    ASSERT_EQ(admin.metrics.size(), 2U);
    EXPECT_EQ(admin.metrics[1].port, 9154);
    EXPECT_EQ(admin.control, "/etc/sftdyn/run/control");
    EXPECT_EQ(admin.state, "/var/state");
    EXPECT_EQ(admin.stale_after, 60s);
    EXPECT_THAT(admin.event_command, ElementsAre("/bin/sh", "-c", "echo \n", ""));
    EXPECT_EQ(admin.event_commands_at_once, 2U);
    EXPECT_EQ(admin.event_command_time, 1500ms);
}

TEST(TomlAdmin, EventsAreThoseThatAreNamed) {
    const auto events = [](const char* list) {
        const ReadText read(std::string("[admin]\nevents = ") + list + "\n");
        EXPECT_THAT(read.said, IsEmpty()) << list;
        return read.settings.admin.events;
    };
    EXPECT_EQ(ReadText("[admin]\n").settings.admin.events, (EventChoice{true, true, false}));
    EXPECT_EQ(events("[\"failure\"]"), (EventChoice{false, false, true}));
    EXPECT_EQ(events("[\"stale\", \"change\", \"stale\"]"), (EventChoice{true, true, false}));
}

TEST(TomlAdmin, WhatIsNotThereStaysAsItIsByDefault) {
    const ReadText read("[process]\n[admin]\n");
    EXPECT_THAT(read.said, IsEmpty());
    EXPECT_FALSE(read.settings.user);
    EXPECT_TRUE(read.settings.seccomp);
    EXPECT_THAT(read.settings.admin.event_command, IsEmpty());
    EXPECT_THAT(read.settings.admin.metrics, IsEmpty());
    EXPECT_FALSE(read.settings.admin.control);
}

class TomlAdminMistake : public testing::TestWithParam<WrongText> {};

TEST_P(TomlAdminMistake, IsToldInItsPlace) {
    const auto& [name, text, start, remedy] = GetParam();
    EXPECT_THAT(ReadText(text).said,
                ElementsAre(testing::AllOf(testing::StartsWith(start), HasSubstr(remedy))));
}

const std::string long_path_text =
    "[admin]\ncontrol = \"/" + std::string(200, 'x') + "\"\nevent_command = [\"/bin/true\"]\n";

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TomlAdminMistake,
    testing::Values(
        WrongText{"NoSuchUser", "[process]\nuser = \"no-such-user-here\"\n",
                  "2:8: there is no user of this name; ", "getent passwd"},
        WrongText{"AUserThatIsNoText", "[process]\nuser = 0\n",
                  "2:8: user is of the wrong type (integer); ", "the name of a user"},
        WrongText{"AnEventCommandWithoutAPath", "[admin]\nevent_command = [\"notify\"]\n",
                  "2:17: event_command names no program; ", "give its whole path"},
        WrongText{"AnEventCommandWithALineBreak", "[admin]\nevent_command = [\"/bin/a\\nb\"]\n",
                  "2:17: event_command names no program; ", "there is no shell"},
        WrongText{"AnEventCommandThatIsAText", "[admin]\nevent_command = \"/bin/true\"\n",
                  "2:17: event_command is of the wrong type (string); ",
                  "a command with its arguments"},
        WrongText{"AnEventCommandOfNothing", "[admin]\nevent_command = []\n",
                  "2:17: event_command is of the wrong type (array); ",
                  "a command with its arguments"},
        WrongText{"AnEventCommandWithANumber", "[admin]\nevent_command = [\"/bin/true\", 1]\n",
                  "2:17: event_command is of the wrong type (array); ",
                  "a command with its arguments"},
        WrongText{"AnEventThatThereIsNot", "[admin]\nevents = [\"change\", \"chnage\"]\n",
                  "2:21: events names an unknown event; ", "\"failure\""},
        WrongText{"NoEvents", "[admin]\nevents = []\n", "2:10: events is an empty list; ",
                  "leave event_command out"},
        WrongText{"AnEventThatIsNoList", "[admin]\nevents = \"change\"\n",
                  "2:10: events is of the wrong type (string); ", ""},
        WrongText{"ASocketOfTooLongAName", long_path_text.c_str(), "2:11: ", "path"},
        WrongText{"AnEmptyListOfMetrics", "[admin]\nmetrics = []\n",
                  "2:11: metrics is an empty list; ", "or leave the line out"},
        WrongText{"MetricsWithTheProxysHeader",
                  "[admin]\nmetrics = { listen = \"9153\", proxy_protocol = true }\n",
                  "2:47: metrics takes no proxy_protocol; ", "leave it out"},
        WrongText{"Unknown", "[process]\nusr = \"root\"\n", "2:1: unknown setting \"usr\" in ",
                  "did you mean user?"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace sftdyn::config
