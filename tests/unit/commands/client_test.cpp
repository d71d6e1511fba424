// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/client.hpp"

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* short_form = "http = 80\n[clients]\n\"k/e y\" = \"home.example.org\"\n";
constexpr const char* with_name = R"(
http = 8080
[clients.router]
key = "the-key"
user = "it's me"
password = "p'a%s"
hosts = ["a.example.org", "b.example.org"]
[clients.plain]
key = "other-key"
hosts = [{ host = "c.example.org", ipv6_suffix = "::1" }]
[clients."a b"]
key = "third-key"
hosts = ["d.example.org"]
[clients.hashed]
user = "h"
password_hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$bPQpY0xmLhYkAxzsWJ2eOw"
hosts = ["e.example.org"]
)";

class ClientTest : public testing::Test {
protected:
    [[nodiscard]] Ran client(const std::string& text, const std::string& name,
                             std::vector<std::string> words = {"--show"},
                             const Surroundings& surroundings = {}) const {
        words.insert(words.begin(), {"client", name, folder.write("c.toml", text)});
        return run_command(words, surroundings);
    }

    const TemporaryFolder folder;
};

TEST_F(ClientTest, AKeyIsEncodedForUrls) {
    const Ran ran = client(short_form, "home.example.org", {"--show", "--url", "https://h:4443//"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(ran.out, StartsWith("home.example.org: home.example.org\n"));
    EXPECT_THAT(ran.out, HasSubstr("\nhttps://h:4443/k/e%20y\n"));
    EXPECT_THAT(ran.out, HasSubstr("\ncurl -fsS 'https://h:4443/k/e%20y'\n"));
    EXPECT_THAT(ran.out,
                HasSubstr("*/15 * * * * curl -fsS 'https://h:4443/k/e\\%20y' >/dev/null\n"))
        << "cron ends a line at a percent sign";
    EXPECT_THAT(ran.out, HasSubstr("\nurl = \"https://h:4443/k/e%20y\"\n"));
    EXPECT_THAT(ran.out, HasSubstr("cacert = "));
    EXPECT_THAT(ran.out, HasSubstr("sftdyn-update@home.example.org.timer"));
    EXPECT_THAT(ran.out, HasSubstr("ssl=yes\nlogin=any\n")) << "a key does for any user";
}

TEST_F(ClientTest, WithoutTlsThereIsNoCertificateToTrust) {
    const Ran ran = client(short_form, "home.example.org", {"--show", "--url", "http://h"});
    EXPECT_THAT(ran.out, Not(HasSubstr("cacert")));
    EXPECT_THAT(ran.out, HasSubstr("ssl=no\n"));
    EXPECT_THAT(ran.out, HasSubstr("option use_https '0'"));
    EXPECT_THAT(ran.out, HasSubstr("    ssl = false\n"));
}

TEST_F(ClientTest, EachLanguageHasItsOwnQuotes) {
    const Ran ran = client(with_name, "router", {"--show", "--url", "https://h"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, StartsWith("router: a.example.org, b.example.org\n"));
    EXPECT_THAT(ran.out, HasSubstr("curl -sS -u 'it'\\''s me:p'\\''a%s' "
                                   "'https://h/nic/update?hostname=a.example.org,b.example.org'"));
    EXPECT_THAT(ran.out,
                HasSubstr("\nlogin=it\\'s\\ me\npassword='p'a%s'\na.example.org,b.example.org\n"));
    EXPECT_THAT(ran.out, HasSubstr("username = 'it\\'s me'\n    password = 'p\\'a%s'\n"));
    EXPECT_THAT(ran.out, HasSubstr("hostname = { \"a.example.org\", \"b.example.org\" }"));
    EXPECT_THAT(ran.out,
                HasSubstr("option username 'it'\\''s me'\n\toption password 'p'\\''a%s'\n"));
    EXPECT_THAT(ran.out, HasSubstr("https://h/the-key\n"));
}

TEST_F(ClientTest, OnlyWhoMayNameAnAddressIsToldTo) {
    const Ran user = client(with_name, "router"), key = client(with_name, "plain");
    for (const char* parameter :
         {"&myip=<ipaddr>&myipv6=<ip6addr>", "&myip=%IP%", "&myip=[IP]", "hostname=%h&myip=%i"}) {
        EXPECT_THAT(user.out, HasSubstr(parameter));
        EXPECT_THAT(key.out, Not(HasSubstr(parameter)));
    }
    EXPECT_THAT(user.out, Not(HasSubstr("ip6lanprefix")));
    EXPECT_THAT(key.out, HasSubstr("&ip6lanprefix=<ip6lanprefix>")) << "its host has a suffix";
    EXPECT_THAT(key.out, HasSubstr("User name:   any\nPassword:    other-key\n"));
}

TEST_F(ClientTest, SecretsAreForTerminals) {
    for (const char* name : {"router", "plain"}) {
        const Ran hidden = client(with_name, name, {});
        EXPECT_EQ(hidden.status, 0);
        EXPECT_THAT(hidden.err, HasSubstr("secrets are shown at a terminal only, or with --show"));
        EXPECT_THAT(hidden.out, HasSubstr("/SECRET\n"));
        const Ran seen = client(with_name, name, {}, {.is_seen = true});
        EXPECT_THAT(seen.err, Not(HasSubstr("secrets are shown")));
        for (const char* secret : {"the-key", "other-key", "p'a%s"})
            EXPECT_THAT(hidden.out, Not(HasSubstr(secret)));
        EXPECT_THAT(seen.out, Not(HasSubstr("SECRET")));
    }
}

TEST_F(ClientTest, APasswordThatOnlyItsHashIsKnownOfIsAPlaceToFillIn) {
    const Ran ran = client(with_name, "hashed");
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("Password:    THE PASSWORD\n"));
    EXPECT_THAT(ran.out, Not(HasSubstr("QR code"))) << "there is no secret URL";
    EXPECT_THAT(ran.out, Not(HasSubstr("$argon2id")));
}

TEST_F(ClientTest, TheServersUrlIsGuessedFromTheFile) {
    const auto guessed = [&](const std::string& settings) {
        const Ran ran =
            client(settings + "[clients]\n\"k\" = \"h.example.org\"\n", "h.example.org");
        EXPECT_THAT(ran.err, HasSubstr("the server's name is not known here")) << ran.err;
        const std::size_t start = ran.out.find("http"), end = ran.out.find("/k\n");
        return ran.out.substr(start, end - start);
    };
    EXPECT_EQ(guessed("http = 80\n"), "http://SERVER");
    EXPECT_EQ(guessed("http = [\"unix:/run/s\", 8081]\n"), "http://SERVER:8081");
    EXPECT_EQ(guessed(""), "http://SERVER:8080");
    EXPECT_EQ(guessed("http = 0\n"), "http://SERVER");
    EXPECT_EQ(guessed("https = 443\ncert = \"none\"\nkey = \"none\"\n"), "https://SERVER");
    EXPECT_EQ(guessed("https = 4443\ncert = \"none\"\nkey = \"none\"\n"), "https://SERVER:4443");
}

TEST_F(ClientTest, TheCertificatesFirstNameIsTheServers) {
    ASSERT_EQ(run_command({"cert", "--dir", folder.path(), "dyn.example.org", "192.0.2.1"}).status,
              0);
    const std::string settings = "https = 4443\ncert = \"server.crt\"\nkey = \"server.key\"\n";
    const Ran ran = client(settings + "[clients]\n\"k\" = \"h.example.org\"\n", "h.example.org");
    EXPECT_EQ(ran.err, "");
    EXPECT_THAT(ran.out, HasSubstr("\nhttps://dyn.example.org:4443/k\n"));
}

TEST_F(ClientTest, AFileHasAPlainName) {
    EXPECT_THAT(client(with_name, "plain").out, HasSubstr("/etc/sftdyn/update/plain.conf"));
    EXPECT_THAT(client(with_name, "a b").out, HasSubstr("/etc/sftdyn/update/sftdyn.conf"));
}

TEST_F(ClientTest, WhatCanNotBeWrittenIsNot) {
    const Ran ran =
        client("[clients.n]\nuser = \"u\"\npassword = \"a\\nb\"\nhosts = \"n.example.org\"\n", "n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("has a line break or another control character"));
    EXPECT_EQ(ran.out, "");
}

TEST_F(ClientTest, AListHasNamesAndNoSecrets) {
    const std::string conf = folder.write(
        "c.toml",
        "[clients]\n\"6fd2c1a7e05b4d83\" = \"home.example.org\"\n\"90bb4f0c1d2e3a4b\" = "
        "\"büro.example.org\"\n[clients.nas]\nkey = \"aa0bb4f0c1d2e3a4\"\nhosts = "
        "[\"h.example.org\"]\n");
    const Ran ran = run_command({"client", "--list", conf});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out, "nas\nhome.example.org\nxn--bro-hoa.example.org\n");
    EXPECT_EQ(run_command({"client", "büro.example.org", conf}).status, 0)
        << "a host is asked for as it is written";
}

TEST_F(ClientTest, WhoIsNotThereIsTold) {
    const Ran ran = client(with_name, "nobody");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("there is no client \"nobody\"; name one by its table"));
    const Ran wrong = client("http = true\n", "nobody");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.err, HasSubstr("http is of the wrong type"));
    EXPECT_EQ(wrong.out, "");
}

}  // namespace
}  // namespace sftdyn::commands
