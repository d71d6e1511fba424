// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/forget.hpp"

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "commands/unix_server.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::HasSubstr;

class ForgetTest : public testing::Test {
protected:
    /// With a running sftdyn that gives this answer.
    [[nodiscard]] Ran forget(const std::string& host, const std::string& answer) {
        const UnixServer server(socket, answer, UnixServer::Reads::a_line);
        Ran ran = run_command({"forget", host, "--socket", socket});
        std::filesystem::remove(socket);
        asked = server.line();
        return ran;
    }

    const TemporaryFolder folder;
    const std::string socket = folder / "control";
    std::string asked;
};

TEST_F(ForgetTest, TheRunningProgramIsAskedTo) {
    const Ran ran = forget("Home.Example.org.", R"({"host":"x","forgotten":true})");
    EXPECT_EQ(asked, "forget home.example.org");
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.out, "home.example.org: forgotten\n");
}

TEST_F(ForgetTest, AHostThatIsNotKnownIsAnError) {
    const Ran ran = forget("home.example.org", R"({"host":"x","forgotten":false})");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("home.example.org: this host is not known"));
}

TEST_F(ForgetTest, AnAnswerOfAnotherKindIsTold) {
    for (const char* answer : {"", "x", "[]", "{}", R"({"forgotten":1})", R"({"error":"no"})"}) {
        const Ran ran = forget("home.example.org", answer);
        EXPECT_EQ(ran.status, 1) << answer;
        EXPECT_THAT(ran.err, HasSubstr("is it an sftdyn of this version?")) << answer;
    }
}

TEST_F(ForgetTest, WhatIsNoHostIsNotAskedFor) {
    const Ran ran = run_command({"forget", "a b", "--socket", socket});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, testing::Not(HasSubstr(socket)));
}

TEST_F(ForgetTest, WhoDoesNotAnswerIsNamed) {
    const Ran ran = run_command({"forget", "home.example.org", "--socket", socket});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr(socket + ": the running sftdyn can't be asked"));
}

}  // namespace
}  // namespace sftdyn::commands
