// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/status.hpp"

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "commands/unix_server.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A document with these hosts and this beside them.
std::string document(const std::string& hosts, const std::string& never = "",
                     const std::string& more = "") {
    return R"({"now":1000000,"version":"1.2","process":42,"since":)" +
           std::to_string(1000000 - 7200) +
           R"(,"clients":3,"conf":"/c.toml","connections":5,"waiting":1,)"
           R"("servers":[{"address":"127.0.0.1:53","state":"answers"},{"address":"[::1]:53","zone":"a.org","state":"silent"}],)"
           R"("hosts":[)" +
           hosts + R"(],"never":[)" + never + "]" + more + "}";
}
std::string host_row(const std::string& name, long checked_in, long changed, bool stale = false) {
    return R"({"host":")" + name + R"(","type":"A","address":"192.0.2.1","checked_in":)" +
           std::to_string(checked_in) + R"(,"changed":)" + std::to_string(changed) +
           R"(,"outcome":"good","stale":)" + (stale ? "true" : "false") + "}";
}

class StatusTest : public testing::Test {
protected:
    [[nodiscard]] Ran status(const std::string& text, std::vector<std::string> words = {}) const {
        const UnixServer server(socket, text);
        words.insert(words.begin(), {"status", "--socket", socket});
        Ran ran = run_command(words);
        std::filesystem::remove(socket);
        return ran;
    }

    const TemporaryFolder folder;
    const std::string socket = folder / "control";
};

TEST_F(StatusTest, TheProgramTheServersAndTheWarnings) {
    const Ran ran = status(
        document("", "", R"(,"warnings":[{"check":"limits","what":"it is slow","mend":"hurry"}])"));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out,
              "sftdyn 1.2, process 42, running for 2 h, 3 clients (/c.toml)\n5 connections, 1 "
              "request waits for the DNS server\nDNS server 127.0.0.1:53: answers\nDNS server "
              "[::1]:53 (a.org): silent\nwarning: it is slow\n         -> hurry\n");
}

TEST_F(StatusTest, TimesAreToldAsAPersonCounts) {
    const auto told = [&](long seconds) {
        const std::string out = status(document(host_row("h", 1000000 - seconds, 0))).out;
        const std::size_t end = out.rfind(" ago"), start = out.rfind("  ", end) + 2;
        return out.substr(start, end - start);
    };
    EXPECT_EQ(told(0), "0 s");
    EXPECT_EQ(told(-5), "0 s") << "a clock went back";
    EXPECT_EQ(told(119), "119 s");
    EXPECT_EQ(told(120), "2 min");
    EXPECT_EQ(told(7199), "119 min");
    EXPECT_EQ(told(7200), "2 h");
    EXPECT_EQ(told(2 * 86400 - 1), "47 h");
    EXPECT_EQ(told(2 * 86400), "2 days");
}

TEST_F(StatusTest, HostsThatAreLongestQuietComeFirst) {
    const Ran ran = status(document(host_row("new.example.org", 999990, 999000) + "," +
                                    host_row("a-longer-name.example.org", 500000, 0, true) + "," +
                                    host_row("mid.example.org", 999000, 0)));
    const std::size_t old = ran.out.find("a-longer-name"), mid = ran.out.find("mid.example"),
                      fresh = ran.out.find("new.example");
    EXPECT_LT(old, mid);
    EXPECT_LT(mid, fresh);
    EXPECT_THAT(ran.out, HasSubstr("\nhost                       type  address"));
    EXPECT_THAT(ran.out,
                ContainsRegex("a-longer-name\\.example\\.org  A     192\\.0\\.2\\.1 +5 days ago "
                              "+never  good  stale\n"));
    EXPECT_THAT(ran.out, ContainsRegex("new\\.example\\.org +A .* 10 s ago +16 min ago  good\n"));
}

TEST_F(StatusTest, HostsThatNeverCheckedInAreCountedAndSomeAreNamed) {
    EXPECT_THAT(status(document("", R"("a.org")")).out,
                EndsWith("\n1 host never checked in: a.org\n"));
    std::string names;
    for (int i = 1; i <= 20; ++i) names += (i > 1 ? ",\"h" : "\"h") + std::to_string(i) + '"';
    EXPECT_THAT(status(document("", names)).out,
                AllOf(HasSubstr("\n20 hosts never checked in: h1 h2 "), EndsWith(" h20\n")));
    EXPECT_THAT(status(document("", names + ",\"h21\"")).out,
                AllOf(HasSubstr("\n21 hosts never"), EndsWith(" h20 …\n"), Not(HasSubstr("h21"))));
}

TEST_F(StatusTest, WhatTheDocumentHoldsDoesNothingToTheTerminal) {
    const Ran ran = status(document(host_row("\\u001b[2Jevil", 1, 1), R"("\u001b]0;x")"));
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
    EXPECT_THAT(ran.out, HasSubstr("\\x1b[2Jevil"));
}

TEST_F(StatusTest, TheDocumentItselfIsForPrograms) {
    EXPECT_EQ(status("{\"a\": 1}\n", {"--json"}).out, "{\"a\": 1}\n");
}

TEST_F(StatusTest, AnAnswerOfAnotherKindIsTold) {
    for (const char* text : {"", "no JSON", "[]", "7", "{}", R"({"now":1,"servers":3})",
                             R"({"now":1,"servers":[],"hosts":[1],"never":[]})"}) {
        const Ran ran = status(text);
        EXPECT_EQ(ran.status, 1) << text;
        EXPECT_THAT(ran.err, StartsWith(socket + ": its answer is not ")) << text;
        EXPECT_THAT(ran.err, HasSubstr("is it an sftdyn of this version?")) << text;
    }
}

TEST_F(StatusTest, WhoDoesNotAnswerIsNamed) {
    const Ran ran = run_command({"status", "--socket", socket});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, StartsWith(socket + ": the running sftdyn can't be asked: No such file"));
    EXPECT_THAT(ran.err, HasSubstr("is it running, with [admin] control"));
}

TEST_F(StatusTest, TheSocketIsTheConfigurations) {
    const std::string conf = folder.write("c.toml", "[admin]\ncontrol = \"control\"\n");
    const UnixServer server(socket, document(""));
    const Ran ran = run_command({"status", conf});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.out, StartsWith("sftdyn 1.2"));
}

TEST_F(StatusTest, AConfigurationThatIsWrongIsToldAndMayNameItAllTheSame) {
    const std::string conf =
        folder.write("c.toml", "http = true\n[admin]\ncontrol = \"control\"\n");
    const UnixServer server(socket, document(""));
    const Ran ran = run_command({"status", conf});
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.err, HasSubstr("http is of the wrong type"));
}

}  // namespace
}  // namespace sftdyn::commands
