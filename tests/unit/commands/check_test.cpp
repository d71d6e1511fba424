// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/check.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char* good_key = "90bb4f0c1d2e3a4b5c6d7e8f90a1b2c3";
constexpr const char* key_text =
    "key \"k\" { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmU=\"; };\n";

class CheckTest : public testing::Test {
protected:
    [[nodiscard]] Ran check(const std::string& text, std::vector<std::string> words = {}) const {
        const std::string conf = folder.write("c.toml", text);
        chmod(conf.c_str(), 0600);
        words.insert(words.begin(), {"check", conf});
        return run_command(words);
    }
    [[nodiscard]] std::string key_file(const std::string& name = "ns.key") const {
        const std::string path = folder.write(name, key_text);
        chmod(path.c_str(), 0600);
        return path;
    }
    [[nodiscard]] static std::string client(const char* key, const char* host) {
        return std::string("[clients]\n\"") + key + "\" = \"" + host + "\"\n";
    }

    const TemporaryFolder folder;
};

TEST_F(CheckTest, AGoodOneIsSaidToBeGoodWithItsClients) {
    const Ran one = check(client(good_key, "home.example.org"));
    EXPECT_EQ(one.status, 0) << one.err;
    EXPECT_EQ(one.out, folder / "c.toml" + std::string(": good, 1 client\n"));
    EXPECT_EQ(one.err, "");
    EXPECT_THAT(check("[dns]\n").out, EndsWith(": good, 0 clients\n"));
}

TEST_F(CheckTest, EverythingThatIsWrongIsToldInOneGo) {
    const Ran ran = check(
        "nskeyfile = \"none.key\"\nhttps = 443\ncert = \"none.crt\"\nkey = "
        "\"none.key\"\n[limits]\nthreads = -1\n[admin]\nhook = "
        "[\"/no/such/program\"]\n[[zone]]\nname = \"a.org\"\nnskeyfile = "
        "\"none-of-a-zone.key\"\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("c.toml:6:11: threads is out of range"));
    EXPECT_THAT(ran.err, HasSubstr(folder / "none.key"));
    EXPECT_THAT(ran.err, HasSubstr(folder / "none.crt"));
    EXPECT_THAT(ran.err, HasSubstr(folder / "none-of-a-zone.key"));
    EXPECT_THAT(ran.err, HasSubstr("/no/such/program: [admin] event_command can't be run"));
    EXPECT_THAT(ran.err, EndsWith("5 errors\n"));
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(check("http = true\n").err, EndsWith("\n1 error\n"));
}

TEST_F(CheckTest, WhatIsOnlyWeakIsAWarning) {
    const Ran ran = check(client("home", "home.example.org"));
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.out, HasSubstr("warning: " + (folder / "c.toml") + ":2: this client's key"));
    EXPECT_THAT(ran.out, EndsWith(": good, 1 client\n"));
}

TEST_F(CheckTest, ProgramsGetJson) {
    const auto json = [this](const std::string& text) { return check(text, {"--json"}); };
    const Ran wrong = json("http = true\n");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.out, HasSubstr(R"([{"result":"bad","where":")"));
    EXPECT_THAT(wrong.out, HasSubstr(R"(c.toml:1:8","what":"http is of the wrong type)"));
    const Ran weak = json("[clients]\n\"home\" = \"home.example.org\"\n");
    EXPECT_EQ(weak.status, 0);
    EXPECT_THAT(weak.out, HasSubstr(R"("result":"warning")"));
    EXPECT_EQ(json("[clients]\n").out, "[]\n");
}

TEST_F(CheckTest, TheKeyOfTheCommandLineIsCheckedInstead) {
    const std::string text = "nskeyfile = \"none.key\"\n";
    EXPECT_EQ(check(text, {"--nskeyfile", key_file()}).status, 0);
    EXPECT_EQ(check("nskeyfile = \"" + key_file() + "\"\n").status, 0);
    const Ran wrong = check("", {"--nskeyfile", folder.write("no.key", "nonsense")});
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.err, HasSubstr("no.key"));
}

TEST_F(CheckTest, APasswordsHashMustBeOne) {
    const Ran ran = check(
        "[clients.n]\nuser = \"u\"\npassword_hash = \"secret-that-is-no-hash\"\nhosts = "
        "\"n.example.org\"\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, Not(HasSubstr("secret-that")));
}

TEST_F(CheckTest, AFileThatIsNotThere) {
    const Ran ran = run_command({"check", folder / "none.toml"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("the configuration can't be read: No such file"));
}

}  // namespace
}  // namespace sftdyn::commands
