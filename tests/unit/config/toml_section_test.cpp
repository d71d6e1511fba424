// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_section.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace sftdyn::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// A table and who reads it.
struct SectionOf {
    explicit SectionOf(std::string_view text, Section section = Section::dns)
        : table(toml::parse(text)), reader(context, table, section) {}
    std::vector<std::string> said() {
        std::vector<std::string> out;
        for (const auto& diagnostic : context.diagnostics()) out.push_back(diagnostic.text());
        return out;
    }
    TomlContext context{"/etc/sftdyn/c.toml"};
    toml::table table;
    TomlSection reader;
};

TEST(TomlContextTest, DiagnosticsComeInTheFilesOrder) {
    TomlContext context("c");
    context.error(toml::source_position{3, 1}, "third", "a");
    context.error(toml::source_position{1, 9}, "second", "b");
    context.error(toml::source_position{1, 2}, "first", "");
    context.error(toml::source_position{3, 1}, "fourth", "c");
    std::vector<std::string> said;
    for (const auto& diagnostic : context.diagnostics()) said.push_back(diagnostic.text());
    EXPECT_THAT(said, ElementsAre("c:1:2: first", "c:1:9: second; b", "c:3:1: third; a",
                                  "c:3:1: fourth; c"));
}

TEST(TomlContextTest, FilesAreRelativeToTheConfigurationOrSystemds) {
    const TomlContext context("/etc/sftdyn/c.toml");
    EXPECT_EQ(context.relative("a.key"), "/etc/sftdyn/a.key");
    EXPECT_EQ(context.relative("../a.key"), "/etc/sftdyn/../a.key");
    EXPECT_EQ(context.relative("/run/a.key"), "/run/a.key");
    EXPECT_EQ(TomlContext("c.toml").relative("a.key"), "a.key");
    unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(context.relative("credential:key"), "/run/credentials/sftdyn.service/key");
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other", 1);
    EXPECT_EQ(context.relative("credential:key"), "/run/credentials/other/key");
    EXPECT_EQ(context.relative("acredential:key"), "/etc/sftdyn/acredential:key");
    unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(TomlSectionTest, ASettingThatIsNotThereOrWrongStaysAsItWas) {
    SectionOf section("tcp = 1\nttl = -1\n");
    bool tcp = true;
    std::uint32_t ttl = 7;
    unsigned updates = 9;
    section.reader.flag("tcp", tcp);
    section.reader.integer("ttl", ttl);
    section.reader.integer("updates_in_flight", updates);
    EXPECT_TRUE(tcp);
    EXPECT_EQ(ttl, 7U);
    EXPECT_EQ(updates, 9U);
    EXPECT_THAT(section.said(),
                ElementsAre("/etc/sftdyn/c.toml:1:7: tcp is of the wrong type (integer); expected "
                            "true or false",
                            "/etc/sftdyn/c.toml:2:7: ttl is out of range; expected a whole number "
                            "from 0 to 2147483647"));
}

TEST(TomlSectionTest, SecondsAreANumber) {
    SectionOf section("timeout = \"5s\"\nfreshness = 0.0004\n");
    Settings settings;
    settings.timeout = 8ms;
    section.reader.plain(settings);
    EXPECT_EQ(settings.timeout, 8ms);
    EXPECT_EQ(settings.freshness, 0ms) << "to the nearest millisecond";
    EXPECT_THAT(section.said(),
                ElementsAre("/etc/sftdyn/c.toml:1:11: timeout is of the wrong type (string); "
                            "expected seconds, from 0.1 to 60"));
}

TEST(TomlSectionTest, NumbersAreTakenUpToTheirBounds) {
    SectionOf section("tcp = true\nttl = 2147483647\nbatch = 5000\n");
    bool tcp = false;
    std::optional<std::uint32_t> ttl;
    std::size_t batch = 0;
    section.reader.flag("tcp", tcp);
    section.reader.integer("ttl", ttl);
    section.reader.integer("batch", batch);
    EXPECT_TRUE(tcp);
    EXPECT_EQ(ttl, 2147483647U);
    EXPECT_EQ(batch, 5000U);
    EXPECT_THAT(section.said(), IsEmpty());
}

TEST(TomlSectionTest, PlainTakesAllThatGoStraightIntoTheSettings) {
    SectionOf section("cert = \"a.crt\"\nproxy_header = \"X-Real-IP\"\nhttp = true\n",
                      Section::top);
    Settings settings;
    section.reader.plain(settings);
    EXPECT_EQ(settings.cert, "/etc/sftdyn/a.crt");
    EXPECT_FALSE(settings.key);
    EXPECT_EQ(settings.proxy_header, Settings::ProxyHeaderSetting::x_real_ip);
    EXPECT_THAT(section.said(), IsEmpty()) << "http has a reader of its own";
}

TEST(TomlSectionTest, AWordIsOneOfTheSettings) {
    SectionOf section("proxy_header = \"Via\"\n", Section::top);
    Settings settings;
    section.reader.plain(settings);
    EXPECT_EQ(settings.proxy_header, Settings::ProxyHeaderSetting::x_forwarded_for);
    EXPECT_THAT(section.said(), ElementsAre(HasSubstr("proxy_header has no such value; expected "
                                                      "one of \"X-Forwarded-For\"")));
}

TEST(TomlSectionTest, WhatAReaderSaysOfATextIsToldInItsPlace) {
    SectionOf section("server = \"x\"\nservers = 7\n");
    std::vector<std::string> used;
    const auto use = [&](const std::string& value) -> base::Result<void> {
        used.push_back(value);
        return base::Error{"it is wrong", "ignored", "mend it"};
    };
    section.reader.text("server", "a server", use);
    section.reader.text("servers", "some servers", use);
    section.reader.text("zone", "a zone", use);
    EXPECT_THAT(used, ElementsAre("x"));
    EXPECT_THAT(section.said(),
                ElementsAre("/etc/sftdyn/c.toml:1:10: it is wrong; mend it",
                            "/etc/sftdyn/c.toml:2:11: servers is of the wrong type (integer); "
                            "expected some servers"));
}

TEST(TomlSectionTest, APathIsOneLine) {
    SectionOf section("cert = \"\"\nkey = \"a\\nb\"\nnskeyfile = \"n\"\n", Section::top);
    std::optional<std::string> cert, key, nskeyfile;
    section.reader.path("cert", cert);
    section.reader.path("key", key);
    section.reader.path("nskeyfile", nskeyfile);
    EXPECT_FALSE(cert);
    EXPECT_FALSE(key);
    EXPECT_EQ(nskeyfile, "/etc/sftdyn/n");
    EXPECT_THAT(section.said(),
                ElementsAre(HasSubstr(":1:8: cert is empty; name the file, or leave the line out"),
                            HasSubstr(":2:7: key is not a file's path: it has a line break")));
}

TEST(TomlSectionTest, AnEmptyListIsTakenOrTold) {
    SectionOf section("servers = []\nserver = \"::1\"\n");
    EXPECT_NE(section.reader.take("servers"), nullptr);
    EXPECT_EQ(section.reader.take_some("servers", "do this"), nullptr);
    EXPECT_NE(section.reader.take_some("server", "do this"), nullptr);
    EXPECT_EQ(section.reader.take_some("zone", "do this"), nullptr);
    EXPECT_THAT(section.said(), ElementsAre(HasSubstr(":1:11: servers is an empty list; do this")));
}

TEST(TomlSectionTest, TablesAreUsedEachAndWhatIsNoneIsTold) {
    SectionOf section(
        "dns = { a = 1 }\nadmin = 3\nzone = [{ a = 1 }, 2, { a = 3 }]\ncertificate "
        "= { a = 1 }\n",
        Section::top);
    int tables = 0;
    const auto use = [&](const toml::table& table) { tables += table.contains("a") ? 1 : 100; };
    section.reader.table("dns", use);
    EXPECT_EQ(tables, 1);
    section.reader.tables("zone", use);
    EXPECT_EQ(tables, 3);
    section.reader.table("admin", use);
    section.reader.tables("certificate", use);
    section.reader.table("limits", use);
    EXPECT_EQ(tables, 3);
    EXPECT_THAT(section.said(),
                ElementsAre(HasSubstr(":2:9: admin is of the wrong type (integer); expected a "
                                      "table: [admin]"),
                            HasSubstr(":3:20: zone is of the wrong type (integer); expected a "
                                      "table: [[zone]]"),
                            HasSubstr(":4:15: certificate is of the wrong type (table); expected "
                                      "tables: [[certificate]]")));
}

TEST(TomlSectionTest, ToNameASettingThatTheSchemaDoesNotHaveIsADefect) {
    SectionOf section("");
    EXPECT_THROW(static_cast<void>(section.reader.take("threads")), std::logic_error);
}

TEST(TomlSectionTest, WhatTheSchemaDoesNotHaveIsAMistakeWithItsPlace) {
    SectionOf section("ttl = 1\ntll = 2\nthreads = 3\nhttp = \"8080\"\nfoo = 5\nbar = \"text\"\n");
    section.reader.reject_unknown();
    EXPECT_THAT(
        section.said(),
        ElementsAre(AllOf(HasSubstr(":2:1: unknown setting \"tll\" in [dns]; did you mean ttl? "
                                    "known here: server, servers, zone, ttl, "),
                          HasSubstr(", queue")),
                    HasSubstr(":3:1: unknown setting \"threads\" in [dns]; threads stands in "
                              "[limits]; known here: "),
                    HasSubstr(":4:1: unknown setting \"http\" in [dns]; http stands at the file's "
                              "top, above the first [table]; "),
                    HasSubstr(":5:1: unknown setting in [dns]; known here: "),
                    HasSubstr(":6:1: unknown setting in [dns]; if this is a client's key, it "
                              "belongs below [clients]: ")));
}

TEST(TomlSectionTest, AClientsUnknownSettingMayBeItsKey) {
    SectionOf section("foo = \"a\"\npassword = \"p\"\n", Section::client);
    section.reader.reject_unknown();
    EXPECT_THAT(section.said(),
                ElementsAre(AllOf(HasSubstr("unknown setting in a client; a client's key or name "
                                            "that has a dot in it takes quotation marks"),
                                  HasSubstr("; known here: host, ttl, ptr")),
                            HasSubstr("unknown setting \"password\" in a client; password stands "
                                      "in [clients.NAME]; ")));
}

TEST(TomlSectionTest, OneOrMany) {
    const auto numbers = [](const char* text) {
        std::vector<std::int64_t> out;
        const auto table = toml::parse(text);
        one_or_many(*table.get("a"), [&](const toml::node& node) {
            out.push_back(node.value<std::int64_t>().value_or(-1));
        });
        return out;
    };
    EXPECT_THAT(numbers("a = 1\n"), ElementsAre(1));
    EXPECT_THAT(numbers("a = [1, 2, \"x\"]\n"), ElementsAre(1, 2, -1));
    EXPECT_THAT(numbers("a = []\n"), IsEmpty());
}

TEST(TomlSectionTest, ControlCharacters) {
    for (const char* text : {"\n", "a\tb", "\x1b", "\x7f", "\x01"})
        EXPECT_TRUE(has_control_characters(text)) << text;
    for (const char* text : {"", "a b", "~", "\xc3\xbc"})
        EXPECT_FALSE(has_control_characters(text)) << text;
}

}  // namespace
}  // namespace sftdyn::config
