// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/setup.hpp"

#include <sys/stat.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "config/toml_reader.hpp"
#include "dns/tsig_key_file.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* zone_name = "dyn.example.org";

struct Made {
    std::string text{};
    unsigned mode = 0;
};

class SetupTest : public testing::TestWithParam<const char*> {
protected:
    [[nodiscard]] Ran setup(const std::string& zone = zone_name,
                            const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words = {"setup", GetParam(), zone, "--write", folder.path()};
        words.insert(words.end(), more.begin(), more.end());
        return run_command(words);
    }
    /// The file that makes the zone.
    [[nodiscard]] std::string zone_file(const std::string& zone = zone_name) const {
        const std::string kind = GetParam();
        if (kind == "powerdns") return folder / "etc/sftdyn/powerdns-zone.sh";
        return folder / ("var/lib/" + kind + "/" + zone + ".zone");
    }
    /// By their places below the folder.
    [[nodiscard]] std::map<std::string, Made> files() const {
        std::map<std::string, Made> out;
        for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
            if (!entry.is_regular_file()) continue;
            struct stat status {};
            EXPECT_EQ(stat(entry.path().c_str(), &status), 0);
            out["/" + fs::relative(entry.path(), folder.path()).string()] = {
                text_of_file(entry.path()), status.st_mode & 07777U};
        }
        return out;
    }
    /// What looks like a secret: 60 characters of Base64 or more, or 32 hexadecimal digits.
    [[nodiscard]] static std::set<std::string> secrets_in(const std::string& text) {
        const auto is_base64 = [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '+' || c == '/';
        };
        std::set<std::string> found;
        std::string run;
        for (const char c : text + "\n") {
            if (is_base64(static_cast<unsigned char>(c))) {
                run += c;
                continue;
            }
            const bool is_hex =
                run.size() == 32 && run.find_first_not_of("0123456789abcdef") == std::string::npos;
            if (is_hex || run.size() >= 60) found.insert(run);
            run.clear();
        }
        return found;
    }
    [[nodiscard]] static std::string secret_of(const std::string& key) {
        constexpr std::string_view start = "secret \"";
        const std::size_t found = key.find(start);
        if (found == std::string::npos) return "none";
        const std::size_t begin = found + start.size();
        return key.substr(begin, key.find('"', begin) - begin);
    }

    const TemporaryFolder folder;
};

TEST_P(SetupTest, KeyAndConfigurationBelongTogether) {
    const Ran ran = setup();
    EXPECT_EQ(ran.status, 0) << ran.err;
    const auto made = files();
    ASSERT_TRUE(made.contains("/etc/sftdyn/sftdyn.toml"));
    config::Settings settings;
    EXPECT_THAT(config::read_toml_file(folder / "etc/sftdyn/sftdyn.toml", settings), IsEmpty());
    ASSERT_TRUE(settings.dns.key_file);
    EXPECT_FALSE(dns::read_key_file(*settings.dns.key_file).has_error()) << *settings.dns.key_file;
    ASSERT_EQ(settings.clients.size(), 1U);
    EXPECT_EQ(settings.clients[0].key.size(), 32U) << "128 random bits";
    const std::string secret = secret_of(text_of_file(*settings.dns.key_file));
    EXPECT_EQ(secret.size(), 88U) << "512 bits in Base64";
    const std::string kind = GetParam();
    if (kind != "bind") {
        const std::string conf =
            kind == "knot" ? "/etc/knot/sftdyn.conf" : "/etc/sftdyn/powerdns-zone.sh";
        EXPECT_THAT(made.at(conf).text, HasSubstr(secret));
        EXPECT_THAT(made.at(conf).text, HasSubstr(zone_name));
    }
}

TEST_P(SetupTest, NoSecretIsForEverybody) {
    ASSERT_EQ(setup().status, 0);
    std::size_t secrets = 0;
    for (const auto& [path, made] : files()) {
        if (secrets_in(made.text).empty()) continue;
        EXPECT_EQ(made.mode & 07U, 0U) << path;
        ++secrets;
    }
    EXPECT_GE(secrets, 2U);
}

TEST_P(SetupTest, WhatIsMadeAndWhatIsLeftToDoIsSaid) {
    const Ran ran = setup();
    for (const auto& [path, made] : files())
        EXPECT_THAT(ran.out, HasSubstr("#   " + folder.path().string() + path + "\n"));
    EXPECT_THAT(ran.out, HasSubstr("# then:\n"));
    EXPECT_THAT(ran.out, HasSubstr("sftdyn doctor " + (folder / "etc/sftdyn/sftdyn.toml")));
    EXPECT_THAT(ran.out,
                HasSubstr(std::string("let the zone above delegate it:  ") + zone_name + ". NS "));
    EXPECT_THAT(ran.out, Not(HasSubstr(secret_of(files().begin()->second.text) + "\"")));
}

TEST_P(SetupTest, PrintingWritesNothingAndSaysModesAndOwners) {
    const Ran ran = run_command({"setup", GetParam(), zone_name});
    EXPECT_EQ(ran.status, 0);
    EXPECT_TRUE(folder.empty());
    EXPECT_THAT(ran.out,
                HasSubstr("# /etc/sftdyn/sftdyn.toml   (mode 640, root:sftdyn)\n\nhttp = "));
    EXPECT_THAT(ran.out, HasSubstr("   (mode 640, "));
    EXPECT_THAT(ran.out, HasSubstr("# then:\n#   "));
}

TEST_P(SetupTest, WhereAFileIsThereNoneIsWritten) {
    ASSERT_EQ(setup().status, 0);
    std::set<std::string> paths;
    for (const auto& [path, made] : files()) paths.insert(path);
    paths.erase("/etc/sftdyn/sftdyn.toml");
    for (const auto& path : paths) {
        for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry);
        fs::create_directories(fs::path(folder.path().string() + path).parent_path());
        folder.write(path.substr(1), "somebody's");
        const Ran ran = setup();
        EXPECT_EQ(ran.status, 1);
        EXPECT_THAT(ran.err, HasSubstr(path + ": already exists"));
        EXPECT_THAT(ran.err, HasSubstr("nothing was written"));
        EXPECT_EQ(ran.out, "");
        const auto left = files();
        EXPECT_EQ(left.size(), 1U) << path;
        EXPECT_EQ(left.begin()->second.text, "somebody's");
    }
}

TEST_P(SetupTest, AFurtherZoneUsesTheKeyThatIsThere) {
    ASSERT_EQ(setup().status, 0);
    const auto before = files();
    const Ran ran = setup("dyn.example.net");
    ASSERT_EQ(ran.status, 0) << ran.err;
    const auto after = files();
    std::string added;
    for (const auto& [path, made] : after) {
        if (const auto old = before.find(path); old != before.end())
            EXPECT_EQ(old->second.text, made.text) << path;
        else
            added += made.text;
    }
    EXPECT_THAT(secrets_in(added), IsEmpty()) << "no other key";
    EXPECT_THAT(added, HasSubstr("dyn.example.net"));
    EXPECT_THAT(added, Not(HasSubstr(zone_name)));
    EXPECT_THAT(ran.out, HasSubstr("add to " + (folder / "etc/sftdyn/sftdyn.toml") +
                                   ", below [clients]:  \""));
    EXPECT_THAT(ran.out, HasSubstr("\" = \"home.dyn.example.net\"\n"));
    EXPECT_THAT(ran.out, HasSubstr("systemctl reload-or-restart sftdyn"));
    EXPECT_THAT(ran.out, Not(HasSubstr("mv ")));
    EXPECT_EQ(setup("dyn.example.net").status, 1) << "its zone is there";
}

TEST_P(SetupTest, AConfigurationInUseWithAnotherKeyIsToldOfTheZonesOwn) {
    fs::create_directories(folder / "etc/sftdyn");
    folder.write("etc/sftdyn/sftdyn.toml", "[clients]\n\"k\" = \"h.example.org\"\n");
    const Ran ran = setup();
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("[[zone]]"));
    EXPECT_THAT(ran.out, HasSubstr("nskeyfile = \"" + folder.path().string()));
    EXPECT_EQ(text_of_file(folder / "etc/sftdyn/sftdyn.toml"),
              "[clients]\n\"k\" = \"h.example.org\"\n");
}

TEST_P(SetupTest, TheNameServerIsTheOneThatIsNamed) {
    ASSERT_EQ(setup(zone_name, {"--ns", "a.example.org", "--address", "192.0.2.9"}).status, 0);
    const std::string zone = text_of_file(zone_file());
    EXPECT_THAT(zone, HasSubstr(" a.example.org."));
    EXPECT_THAT(zone, HasSubstr("192.0.2.9")) << "of the zone's own name";
    EXPECT_THAT(zone, Not(HasSubstr("localhost")));
}

TEST_P(SetupTest, ANameServerInTheZoneHasItsAddressesThere) {
    for (const char* name : {"ns1.dyn.example.org", zone_name}) {
        for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry);
        const Ran ran =
            setup(zone_name, {"--ns", name, "--address", "192.0.2.9", "--address", "2001:db8::9"});
        ASSERT_EQ(ran.status, 0) << ran.err;
        EXPECT_THAT(ran.out, HasSubstr(std::string("dyn.example.org. NS ") + name + ".\n"));
        EXPECT_THAT(ran.out, HasSubstr(std::string(name) + ". A 192.0.2.9\n"));
        EXPECT_THAT(ran.out, HasSubstr(std::string(name) + ". AAAA 2001:db8::9\n"));
        const std::string zone = text_of_file(zone_file());
        if (std::string(GetParam()) == "powerdns") continue;  // the real server reads its script
        EXPECT_THAT(zone, HasSubstr(std::string(name) + ". IN A 192.0.2.9\n"));
        EXPECT_THAT(zone, HasSubstr(std::string(name) + ". IN AAAA 2001:db8::9\n"));
    }
}

TEST_P(SetupTest, AnAddressThatTheWorldCannotReachIsPointedOut) {
    EXPECT_THAT(setup(zone_name, {"--address", "192.168.1.2"}).out,
                HasSubstr("192.168.1.2, which only machines in the same network reach"));
    for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry);
    EXPECT_THAT(setup(zone_name, {"--address", "192.0.2.1"}).out, Not(HasSubstr("# note")));
}

TEST_P(SetupTest, WhatIsNoAddressOrNameMakesNothing) {
    for (const char* address : {"x", "fe80::1", "0.0.0.0", "224.0.0.1", "192.0.2"})
        EXPECT_EQ(setup(zone_name, {"--address", address}).status, 1) << address;
    for (const char* name : {"a b", "*.example.org", "a..b"})
        EXPECT_EQ(setup(zone_name, {"--ns", name}).status, 1) << name;
    EXPECT_TRUE(folder.empty());
}

TEST_P(SetupTest, APackagesSampleStaysAndTheFileIsCalledLikeTheZone) {
    fs::create_directories(folder / "etc/sftdyn");
    folder.write("etc/sftdyn/sftdyn.toml", "# sample\n");
    const Ran ran = setup();
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(text_of_file(folder / "etc/sftdyn/sftdyn.toml"), "# sample\n");
    EXPECT_TRUE(fs::exists(folder / "etc/sftdyn/dyn.example.org.toml"));
    EXPECT_THAT(ran.out, HasSubstr("mv " + (folder / "etc/sftdyn/dyn.example.org.toml") + " " +
                                   (folder / "etc/sftdyn/sftdyn.toml")));
}

TEST_P(SetupTest, EachRunHasKeysOfItsOwn) {
    const auto keys = [] { return secrets_in(run_command({"setup", GetParam(), zone_name}).out); };
    const auto first = keys(), second = keys();
    EXPECT_EQ(first.size(), 2U) << "the key of updates, and a client's";
    for (const auto& one : first) EXPECT_FALSE(second.contains(one));
}

TEST_P(SetupTest, AZoneThatIsNoneMakesNothing) {
    for (const char* zone : {"*.example.org", "a..b", "0/25.2.0.192.in-addr.arpa", "../etc"}) {
        const Ran ran = setup(zone);
        EXPECT_EQ(ran.status, 1) << zone;
        EXPECT_FALSE(ran.err.empty());
    }
    EXPECT_TRUE(folder.empty());
}

INSTANTIATE_TEST_SUITE_P(Servers, SetupTest, testing::Values("bind", "knot", "powerdns"),
                         [](const auto& row) { return std::string(row.param); });

TEST(SetupCommand, OtherServersAreNotKnown) {
    EXPECT_EQ(run_command({"setup", "nsd", zone_name}).status, 2);
    const Ran ran = run_command({"setup", "bind"});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("sftdyn setup bind dyn.example.org"));
}

TEST(SetupCommand, AtATerminalItAsks) {
    const Ran ran = run_command(
        {"setup"}, {.input = "unbound\nknot\na..b\ndyn.example.org\n\n192.0.2.9 2001:db8::9\nno\n",
                    .is_typed = true});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("# /var/lib/knot/dyn.example.org.zone"));
    EXPECT_THAT(ran.out, HasSubstr("IN AAAA 2001:db8::9\n"));
    EXPECT_THAT(ran.out, HasSubstr("the zone for the hosts"));
}

TEST(SetupCommand, WhatIsNamedIsNotAskedFor) {
    const Ran ran =
        run_command({"setup", "bind", "--ns", "a.example.org", "--address", "192.0.2.9"},
                    {.input = "dyn.example.org\nno\n", .is_typed = true});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("@ IN NS a.example.org.\n"));
}

TEST(SetupCommand, AnswersThatEndMakeNothing) {
    for (const char* input : {"", "bind\n", "bind\ndyn.example.org\n", "nsd\n"}) {
        const Ran ran = run_command({"setup"}, {.input = input, .is_typed = true});
        EXPECT_EQ(ran.status, 1) << input;
        EXPECT_THAT(ran.err, HasSubstr("the input ended"));
        EXPECT_THAT(ran.out, Not(HasSubstr("secret")));
    }
}

TEST(SetupCommand, AReverseZoneTakesTheNameOfItsServer) {
    const std::string zone = "2.0.192.in-addr.arpa";
    const Ran ran = run_command({"setup", "bind", zone, "--ns", "ns.example.org"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("@ IN NS ns.example.org.\n"));
    EXPECT_THAT(ran.out, Not(HasSubstr(" IN A ")));
}

}  // namespace
}  // namespace sftdyn::commands
