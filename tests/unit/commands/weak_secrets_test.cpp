// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/weak_secrets.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/system_user.hpp"
#include "config/toml_reader.hpp"
#include "temporary_folder.hpp"

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

// --- files ---

/// Root gives files away, to accounts that each Debian has.
class WeakFilesTest : public testing::Test {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
        loaded.conf = folder.write("c.toml", "");
        loaded.settings.user = "daemon";
        loaded.settings.dns.key_file = folder.write("ns.key", "");
        loaded.settings.cert = loaded.settings.key = folder.write("server.key", "");
        loaded.settings.https = {{.address = std::nullopt, .port = 443}};
        give(loaded.conf, 0, of("daemon"), 0640);
        give(key(), 0, of("daemon"), 0640);
        give(*loaded.settings.key, 0, of("daemon"), 0640);
    }
    [[nodiscard]] const std::string& key() const { return *loaded.settings.dns.key_file; }
    [[nodiscard]] static gid_t of(const std::string& group) {
        const auto found = base::find_group(group);
        if (!found) throw std::runtime_error(group);
        return found->gid;
    }
    static void give(const std::string& path, uid_t user, gid_t group, mode_t mode) {
        ASSERT_EQ(chown(path.c_str(), user, group), 0);
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }
    [[nodiscard]] std::vector<std::string> said() const {
        std::vector<std::string> out;
        for (const auto& weakness : weak_files(loaded)) out.push_back(weakness.error.text());
        return out;
    }

    const TemporaryFolder folder;
    config::Loaded loaded;
    static constexpr uid_t stranger = 65534;
};

TEST_F(WeakFilesTest, WhatThePackageAndSetupMakeIsNotTold) {
    EXPECT_THAT(said(), IsEmpty());
    give(folder.path(), 0, of("daemon"), 0750);
    EXPECT_THAT(said(), IsEmpty());
    for (const char* name : {"bind", "knot", "pdns"}) {
        const auto server = base::find_user(std::string(name));
        if (!server) continue;
        give(key(), server->uid, server->gid, 0660);
        EXPECT_THAT(said(), IsEmpty()) << name;
        give(key(), server->uid, of("daemon"), 0640);
        EXPECT_THAT(said(), IsEmpty()) << name;
    }
}

TEST_F(WeakFilesTest, WhatBelongsToTheServicesUserOrToWhoAsksIsNotTold) {
    const auto service = base::find_user(std::string("daemon"));
    for (const uid_t user : {service->uid, geteuid()}) {
        for (const std::string& path : {loaded.conf, key(), *loaded.settings.key})
            give(path, user, of("daemon"), 0660);
        give(folder.path(), user, of("daemon"), 0770);
        EXPECT_THAT(said(), IsEmpty()) << user;
    }
}

TEST_F(WeakFilesTest, WhoeverElseItBelongsToMayChangeIt) {
    for (const std::string& path : {loaded.conf, key(), *loaded.settings.key})
        give(path, stranger, of("daemon"), 0640);
    EXPECT_THAT(said(), ElementsAre(loaded.conf +
                                        ": it belongs to the user nobody, who may change it, and "
                                        "with it where all hosts point; chown root " +
                                        loaded.conf,
                                    HasSubstr("ns.key: it belongs to the user nobody"),
                                    HasSubstr("server.key: it belongs to the user nobody")));
    // That the folder is a sticky one does not help then.
    give(folder.path(), 0, 0, 01777);
    EXPECT_EQ(said().size(), 3U);
}

TEST_F(WeakFilesTest, AGroupOfOthersMayReadIt) {
    for (const std::string& path : {loaded.conf, key(), *loaded.settings.key})
        give(path, 0, of("users"), 0640);
    EXPECT_THAT(
        said(),
        ElementsAre(
            loaded.conf + ": the group users may read the keys in it; chgrp daemon " + loaded.conf,
            HasSubstr("ns.key: the group users may read the TSIG key in it"),
            HasSubstr("server.key: the group users may read the private key")));
    give(loaded.conf, 0, 0, 0640);
    give(key(), 0, of("users"), 0600);
    give(*loaded.settings.key, 0, of("users"), 0620);
    EXPECT_THAT(said(), ElementsAre(HasSubstr("server.key: the group users may change it, and")));
}

TEST_F(WeakFilesTest, EachFolderAboveCounts) {
    const std::string above = folder / "above";
    std::filesystem::create_directories(above + "/own");
    loaded.settings.dns.key_file = loaded.conf;
    loaded.settings.key = loaded.conf;
    const std::string conf = loaded.conf = folder.write("above/own/c.toml", "");
    give(conf, 0, of("daemon"), 0640);
    give(folder / "c.toml", 0, of("daemon"), 0640);
    EXPECT_THAT(said(), IsEmpty());
    const auto is_told = [&](const std::string& what) {
        EXPECT_THAT(said(), ElementsAre(HasSubstr(conf + ": " + what +
                                                  ", may put another in its "
                                                  "place, and with it")));
    };
    give(above, 0, 0, 0777);
    is_told("everybody on this machine may write to " + above + ", above it");
    give(above, 0, of("users"), 0775);
    is_told("the group users may write to " + above + ", above it");
    give(above, stranger, 0, 0755);
    is_told("the user nobody owns " + above + ", above it");
    give(above, 0, 0, 01777);
    EXPECT_THAT(said(), IsEmpty()) << "only who owns what is in it may replace that";
    give(above + "/own", stranger, 0, 0755);
    is_told("the user nobody owns its folder");
}

TEST_F(WeakFilesTest, ALinkIsAsGoodAsTheWayToItAndBehindIt) {
    const std::string conf = loaded.conf;
    std::filesystem::create_directory(folder / "links");
    std::filesystem::create_symlink(conf, folder / "links/c.toml");
    loaded.conf = folder / "links/c.toml";
    EXPECT_THAT(said(), IsEmpty());
    give(folder / "links", 0, 0, 01777);
    EXPECT_THAT(said(), IsEmpty());
    ASSERT_EQ(lchown(loaded.conf.c_str(), stranger, 0), 0);
    EXPECT_THAT(said(), ElementsAre(HasSubstr("the user nobody owns the link in its folder")));
    ASSERT_EQ(lchown(loaded.conf.c_str(), 0, 0), 0);
    std::filesystem::create_directory(folder / "real");
    std::filesystem::rename(conf, folder / "real/c.toml");
    std::filesystem::remove(loaded.conf);
    std::filesystem::create_symlink(folder / "real/c.toml", loaded.conf);
    give(folder / "real", 0, 0, 0777);
    EXPECT_THAT(said(), ElementsAre(HasSubstr("everybody on this machine may write to")));
}

TEST_F(WeakFilesTest, EachLinkOnTheWayCounts) {
    const std::string conf = loaded.conf;
    std::filesystem::create_directory(folder / "theirs");
    std::filesystem::create_symlink(conf, folder / "theirs/c.toml");
    std::filesystem::create_directory(folder / "ours");
    std::filesystem::create_symlink("../theirs/c.toml", folder / "ours/c.toml");
    std::filesystem::create_directory_symlink("ours", folder / "way");
    loaded.conf = folder / "way/c.toml";
    EXPECT_THAT(said(), IsEmpty());
    give(folder / "theirs", stranger, 0, 0755);
    EXPECT_THAT(said(), ElementsAre(HasSubstr("the user nobody owns its folder")));
}

}  // namespace
}  // namespace sftdyn::commands
