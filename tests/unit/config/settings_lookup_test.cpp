// SPDX-License-Identifier: GPL-3.0-or-later
// What is found in the schema, and how it is called in messages.
#include <stdexcept>

#include <gmock/gmock.h>

#include "config/settings_schema.hpp"
#include "config/toml_text.hpp"

namespace sftdyn::config {
namespace {

TEST(SettingsLookup, ASectionHasTheNameThatTheFileGivesIt) {
    EXPECT_EQ(label_of(Section::top), "");
    EXPECT_EQ(label_of(Section::listener), "a listener");
    EXPECT_EQ(label_of(Section::certificate), "[[certificate]]");
    EXPECT_EQ(label_of(Section::addresses), "[addresses]");
    EXPECT_EQ(label_of(Section::dns), "[dns]");
    EXPECT_EQ(label_of(Section::zone), "[[zone]]");
    EXPECT_EQ(label_of(Section::limits), "[limits]");
    EXPECT_EQ(label_of(Section::process), "[process]");
    EXPECT_EQ(label_of(Section::admin), "[admin]");
    EXPECT_EQ(label_of(Section::client), "a client");
    EXPECT_EQ(label_of(Section::named_client), "a client");
    EXPECT_EQ(label_of(Section::host), "a host");
    EXPECT_EQ(full_name(setting(Section::limits, "threads")), "[limits] threads");
    EXPECT_EQ(full_name(setting(Section::top, "http")), "http");
}

TEST(SettingsLookup, ASectionHasItsOwnSettingsAndNoOther) {
    std::size_t count = 0;
    for (int number = 0; number <= static_cast<int>(Section::host); ++number) {
        const auto section = static_cast<Section>(number);
        EXPECT_FALSE(settings_of(section).empty()) << number;
        for (const Setting& row : settings_of(section)) {
            EXPECT_EQ(row.section, section) << row.name;
            ++count;
        }
    }
    EXPECT_EQ(count, all_settings().size());
}

TEST(SettingsLookup, ANameThatIsNotThereIsADefect) {
    EXPECT_EQ(setting(Section::zone, "ttl").section, Section::zone);
    EXPECT_THROW(static_cast<void>(setting(Section::dns, "threads")), std::logic_error);
    EXPECT_THROW(static_cast<void>(setting(Section::top, "")), std::logic_error);
}

TEST(SettingsLookup, WhatIsExpectedIsSaidInWords) {
    const auto expected = [](Section section, const char* name) {
        return expected_of(setting(section, name));
    };
    EXPECT_EQ(expected(Section::dns, "tcp"), "true or false");
    EXPECT_EQ(expected(Section::dns, "batch"), "a whole number from 1 to 5000");
    EXPECT_EQ(expected(Section::dns, "timeout"), "seconds, from 0.1 to 60");
    EXPECT_EQ(expected(Section::top, "proxy_header"),
              "one of \"X-Forwarded-For\", \"Forwarded\", \"X-Real-IP\", or another header of one "
              "address, as \"CF-Connecting-IP\"");
    EXPECT_EQ(expected(Section::top, "log"), "one of \"error\", \"warning\", \"info\", \"debug\"");
    EXPECT_EQ(expected(Section::admin, "state"), "a path, or false for none");
    EXPECT_EQ(expected(Section::top, "cert"), "the path of a file");
    EXPECT_EQ(expected(Section::top, "uptodate"), "a text");
    EXPECT_EQ(expected(Section::addresses, "deny"), "a text, or a list of them");
    EXPECT_EQ(expected(Section::top, "http"),
              "PORT, \"IP4:PORT\", \"[IP6]:PORT\" or \"unix:PATH\", or a list of them");
    EXPECT_EQ(expected(Section::admin, "event_command"),
              "a command with its arguments: [\"/usr/local/bin/notify\", \"argument\"]");
    EXPECT_EQ(expected(Section::top, "dns"), "a table: [dns]");
    EXPECT_EQ(expected(Section::top, "zone"), "tables: [[zone]]");
}

TEST(SettingsLookup, WhatTakesARestartIsNamedInOneLine) {
    const Settings started;
    const auto notice = [&](const char* text) {
        const ReadText now(text);
        EXPECT_TRUE(now.said.empty()) << text;
        return restart_notice(started, now.settings);
    };
    EXPECT_EQ(notice(""), "");
    EXPECT_EQ(notice("[dns]\nttl = 7\nqueue = 5\n[limits]\nchanges = 1\n"), "");
    EXPECT_EQ(notice("[limits]\nthreads = 3\n"),
              "[limits] threads has changed: that takes effect only with a restart");
    EXPECT_EQ(notice("https = 443\n[admin]\nstate = \"/s\"\n"),
              "https and [admin] state have changed: that takes effect only with a restart");
    EXPECT_EQ(
        notice(
            "http = 81\n[dns]\nttl = 7\n[limits]\nthreads = 3\n[admin]\nevent_command_time = 9\n"),
        "http, [limits] threads and [admin] event_command_time have changed: that takes effect "
        "only with a restart");
}

TEST(SettingsLookup, ANameIsLookedForInItsOwnSectionFirst) {
    EXPECT_EQ(meant_by("ttl", Section::zone), &setting(Section::zone, "ttl"));
    EXPECT_EQ(meant_by("ttl", Section::top), &setting(Section::dns, "ttl"));
    EXPECT_EQ(meant_by("sever", Section::zone), &setting(Section::zone, "server"));
    EXPECT_EQ(meant_by("sever", Section::top), &setting(Section::dns, "server"));
    // Near in its own place comes before the same name elsewhere.
    EXPECT_EQ(meant_by("servers", Section::zone), &setting(Section::zone, "servers"));
    EXPECT_EQ(meant_by("zone", Section::dns), &setting(Section::dns, "zone"));
}

TEST(SettingsLookup, AMisspeltNameIsNearEnough) {
    const Setting* const queue = &setting(Section::dns, "queue");
    for (const char* one : {"queu", "queeue", "qeueu", "quexe"}) {
        const bool two_off = std::string(one) == "qeueu";
        EXPECT_EQ(meant_by(one, Section::dns), two_off ? nullptr : queue) << one;
    }
    EXPECT_EQ(meant_by("uqeue", Section::dns), queue) << "two neighbours changed their places";
    const Setting* const timeout = &setting(Section::dns, "timeout");
    for (const char* two : {"timeot", "tiemotu", "timout", "timeouts", "time_outs", "dimeoud"})
        EXPECT_EQ(meant_by(two, Section::dns), timeout) << two;
    for (const char* three : {"dimeoods", "imou", "tttimeout_"})
        EXPECT_NE(meant_by(three, Section::dns), timeout) << three;
    // Half of a short name is not guessed.
    EXPECT_EQ(meant_by("tt", Section::dns), &setting(Section::dns, "ttl"));
    EXPECT_EQ(meant_by("xx", Section::dns), nullptr);
}

TEST(SettingsLookup, WhatMayBeAKeyIsNoSetting) {
    for (const char* name : {"", "h", "HTTP", "Http", "http8", "ht-tp", "http.", "colour",
                             "aaaaaaaaaaaaaaaaaaaaaaaaa", "h\xc3\xbc"})
        EXPECT_EQ(meant_by(name, Section::top), nullptr) << name;
    EXPECT_EQ(meant_by("ipv_suffix", Section::host), &setting(Section::host, "ipv6_suffix"));
}

}  // namespace
}  // namespace sftdyn::config
