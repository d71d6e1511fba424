// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/load.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "config/conf_file.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LoadTest : public testing::Test {
protected:
    LoadTest() { forget_systemd(); }
    ~LoadTest() override { forget_systemd(); }
    static void forget_systemd() {
        for (const char* variable : {"RUNTIME_DIRECTORY", "STATE_DIRECTORY"}) unsetenv(variable);
    }

    /// The file's settings with `line` on top.
    [[nodiscard]] Loaded load(const std::string& text, Overrides line = {}) const {
        line.conf = folder.write("c.toml", text);
        return load_settings(line);
    }
    [[nodiscard]] static std::vector<std::string> said(const Loaded& loaded) {
        std::vector<std::string> out;
        for (const auto& diagnostic : loaded.diagnostics) out.push_back(diagnostic.text());
        return out;
    }

    const TemporaryFolder folder;
};

Listen listen_at(std::uint16_t port) {
    Listen out;
    out.port = port;
    return out;
}

TEST_F(LoadTest, TheFileIsReadAndNamed) {
    const auto loaded = load("http = 81\n[dns]\nttl = 7\n");
    EXPECT_THAT(said(loaded), IsEmpty());
    EXPECT_EQ(loaded.conf, folder / "c.toml");
    EXPECT_EQ(loaded.python, nullptr);
    EXPECT_THAT(loaded.settings.http, ElementsAre(listen_at(81)));
    EXPECT_EQ(loaded.settings.dns.ttl, 7U);
}

TEST_F(LoadTest, ThePortIsTheUsualOneOnlyWhereNothingIsSaid) {
    EXPECT_THAT(load("[dns]\n").settings.http, ElementsAre(listen_at(default_port)));
    const auto https = load("https = 443\ncert = \"c\"\nkey = \"k\"\n");
    EXPECT_THAT(said(https), IsEmpty());
    EXPECT_THAT(https.settings.http, IsEmpty());
}

TEST_F(LoadTest, TheCommandLineWins) {
    const std::string text =
        "http = 81\nhttps = 444\ncert = \"/c\"\nkey = \"/k\"\nnskeyfile = \"/n\"\n[dns]\nserver = "
        "\"192.0.2.1\"\n";
    Overrides line;
    line.http = {listen_at(82), listen_at(83)};
    line.https = {listen_at(445)};
    line.cert = "other.crt";
    line.key = "other.key";
    line.key_file = "other.ns";
    line.servers = {{boost::asio::ip::make_address("192.0.2.9"), 5353}};
    const auto won = load(text, line);
    EXPECT_THAT(said(won), IsEmpty());
    EXPECT_THAT(won.settings.http, ElementsAre(listen_at(82), listen_at(83)));
    EXPECT_THAT(won.settings.https, ElementsAre(listen_at(445)));
    EXPECT_EQ(won.settings.cert, "other.crt");
    EXPECT_EQ(won.settings.key, "other.key");
    EXPECT_EQ(won.settings.dns.key_file, "other.ns");
    ASSERT_EQ(won.settings.dns.servers.size(), 1U);
    EXPECT_EQ(text_of(won.settings.dns.servers[0]), "192.0.2.9:5353");

    const auto kept = load(text);
    EXPECT_THAT(kept.settings.http, ElementsAre(listen_at(81)));
    EXPECT_THAT(kept.settings.https, ElementsAre(listen_at(444)));
    EXPECT_EQ(kept.settings.cert, "/c");
    EXPECT_EQ(kept.settings.key, "/k");
    EXPECT_EQ(kept.settings.dns.key_file, "/n");
    EXPECT_EQ(text_of(kept.settings.dns.servers.at(0)), "192.0.2.1:53");
}

TEST_F(LoadTest, AZoneKeepsItsOwnServerAndKey) {
    Overrides line;
    line.key_file = "other.ns";
    line.servers = {{boost::asio::ip::make_address("192.0.2.9"), 53}};
    const auto loaded = load(
        "nskeyfile = \"/n\"\n[[zone]]\nname = \"a.example.org\"\nserver = \"192.0.2.1\"\n"
        "nskeyfile = \"/z\"\n",
        line);
    EXPECT_EQ(loaded.settings.dns.key_file, "other.ns");
    ASSERT_EQ(loaded.settings.zones.size(), 1U);
    EXPECT_EQ(loaded.settings.zones[0].key_file, "/z");
    EXPECT_EQ(text_of(loaded.settings.zones[0].servers.at(0)), "192.0.2.1:53");
}

TEST_F(LoadTest, TheFormOfTheLogIsTheCommandLinesIfItNamesOne) {
    using base::log::Format;
    Overrides line;
    line.log_format = Format::text;
    EXPECT_EQ(load("log_format = \"json\"\n").settings.log_format, Format::json);
    EXPECT_EQ(load("log_format = \"json\"\n", line).settings.log_format, Format::text);
    line.log_format = Format::json;
    EXPECT_EQ(load("http = 81\n").settings.log_format, Format::text);
    EXPECT_EQ(load("http = \n", line).settings.log_format, Format::json) << "in spite of errors";
}

TEST_F(LoadTest, TheVersionIsThatOfAllFiles) {
    std::filesystem::create_directory(folder / "more");
    const std::string text = "include = \"more\"\n[clients]\n";
    const auto empty = load(text);
    EXPECT_THAT(said(empty), IsEmpty());
    EXPECT_THAT(empty.conf_version, HasSubstr(version_of(empty.conf) + "+0/"));
    folder.write("more/a.toml", "[clients]\n");
    Overrides line;
    line.conf = empty.conf;
    const auto more = load_settings(line);
    EXPECT_THAT(more.conf_version, HasSubstr(version_of(more.conf) + "+1/"));
    EXPECT_EQ(load_settings(line).conf_version, more.conf_version);
    const auto without = load("[clients]\n");
    EXPECT_EQ(without.conf_version, version_of(without.conf));
}

TEST_F(LoadTest, WhatFitsNotTogetherIsToldOfTheWhole) {
    Overrides line;
    line.https = {listen_at(81)};
    const auto loaded = load("http = 81\n", line);
    EXPECT_THAT(said(loaded),
                ElementsAre(HasSubstr("c.toml: https without cert and key"),
                            HasSubstr("c.toml: port 81 of https is named twice (by http too)")));
    line = {};
    line.cert = "c";
    line.key = "k";
    EXPECT_THAT(said(load("https = 443\n", line)), IsEmpty());
}

TEST_F(LoadTest, SocketsThatWerePassedStandInPlaceOfSettings) {
    Overrides line;
    line.passed_https = true;
    const std::string pair = "cert = \"/c\"\nkey = \"/k\"\n";
    EXPECT_THAT(said(load("[dns]\n", line)),
                ElementsAre(HasSubstr("a socket that systemd passed) without cert and key")));
    const auto loaded = load(pair, line);
    EXPECT_THAT(said(loaded), IsEmpty());
    EXPECT_THAT(loaded.settings.http, IsEmpty());
    EXPECT_THAT(said(load(pair)), ElementsAre(HasSubstr("cert and key without https")));
    line = {};
    line.passed_http = true;
    EXPECT_THAT(load("[dns]\n", line).settings.http, IsEmpty());
}

TEST_F(LoadTest, AFileThatIsWrongIsToldInItsOrder) {
    EXPECT_THAT(said(load("http = true\n[limits]\nthreads = 999\n")),
                ElementsAre(HasSubstr("c.toml:1:"), HasSubstr("c.toml:3:")));
    EXPECT_THAT(said(load(" \r\n\t\n")), ElementsAre(HasSubstr("the configuration is empty")));
    Overrides line;
    line.conf = folder / "none.toml";
    EXPECT_THAT(said(load_settings(line)), ElementsAre(HasSubstr("No such file")));
}

TEST_F(LoadTest, APythonConfThatIsNoFileIsNotWaitedFor) {
    ASSERT_EQ(mkfifo((folder / "conf").c_str(), 0600), 0);
    Overrides line;
    line.conf = folder / "conf";
    const auto loaded = load_settings(line);
    EXPECT_THAT(said(loaded), ElementsAre(HasSubstr("it is not a regular file but a pipe")));
    EXPECT_EQ(loaded.python, nullptr);
}

TEST_F(LoadTest, FoldersOfSystemdAreUsedWhereTheFileNamesNone) {
    EXPECT_FALSE(load("[dns]\n").settings.admin.control);
    EXPECT_FALSE(load("[dns]\n").settings.admin.state);
    setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1);
    setenv("STATE_DIRECTORY", "/var/lib/one", 1);
    auto admin = load("[dns]\n").settings.admin;
    EXPECT_EQ(admin.control, "/run/one/control");
    EXPECT_EQ(admin.state, "/var/lib/one/");
    admin = load("[admin]\ncontrol = \"/c\"\nstate = \"/s\"\n").settings.admin;
    EXPECT_EQ(admin.control, "/c");
    EXPECT_EQ(admin.state, "/s");
    admin = load("[admin]\ncontrol = false\nstate = false\n").settings.admin;
    EXPECT_FALSE(admin.control);
    EXPECT_FALSE(admin.state);
    setenv("RUNTIME_DIRECTORY", "", 1);
    setenv("STATE_DIRECTORY", "", 1);
    admin = load("[dns]\n").settings.admin;
    EXPECT_FALSE(admin.control);
    EXPECT_FALSE(admin.state);
}

TEST_F(LoadTest, TheFirstOfTheUsualFilesIsTaken) {
    ASSERT_THAT(default_confs(), ElementsAre("/etc/sftdyn/sftdyn.toml", "/etc/sftdyn/conf"));
    for (const auto& conf : default_confs()) {
        if (std::filesystem::exists(conf))
            GTEST_SKIP() << "this machine has a configuration: " << conf;
    }
    const auto loaded = load_settings({});
    EXPECT_THAT(said(loaded),
                ElementsAre("there is no configuration: neither /etc/sftdyn/sftdyn.toml nor "
                            "/etc/sftdyn/conf exists; name one (sftdyn FILE), or try `sftdyn "
                            "demo`"));
    EXPECT_EQ(loaded.conf, "");
}

}  // namespace
}  // namespace sftdyn::config
