// SPDX-License-Identifier: GPL-3.0-or-later
// What the helper does is in event_helper_test.cpp; here is how it comes to be, and goes.
#include "server/event_command.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

#include "server/event.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class EventCommandTest : public testing::Test {
protected:
    EventCommandSettings shell(const std::string& text) const {
        return {{"/bin/sh", "-c", text}, 4, 1h, std::nullopt, false, false};
    }
    /// The outcome of one command.
    static EventAnswer run(const EventCommand& command) {
        const Event event{EventKind::change, "a.example", dns::Type::a, {}, {}, 0};
        const auto octets = *EventMessage{1, event}.write();
        EXPECT_EQ(send(command.socket(), octets.data(), octets.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(octets.size()));
        std::array<char, EventAnswer::size> answer{};
        const ssize_t size = recv(command.socket(), answer.data(), answer.size(), 0);
        return EventAnswer::read({answer.data(), static_cast<std::size_t>(size < 0 ? 0 : size)})
            .value_or(EventAnswer{});
    }
    /// The helper: a child of the test, which has no other.
    pid_t helper() const {
        const std::string self = std::to_string(getpid());
        std::ifstream children("/proc/self/task/" + self + "/children");
        pid_t child = -1;
        children >> child;
        return child;
    }

    TemporaryFolder folder;
};

TEST_F(EventCommandTest, WithoutACommandThereIsNoHelper) {
    bool is_called = false;
    const EventCommand none({.at_once = 4}, [&] { is_called = true; });
    EXPECT_EQ(none.socket(), -1);
    EXPECT_EQ(none.name(), "");
    EXPECT_FALSE(is_called);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST_F(EventCommandTest, ItRunsTheCommand) {
    auto settings = shell("exit 5");
    settings.at_once = 3;
    const EventCommand command(settings);
    EXPECT_EQ(command.name(), "/bin/sh");
    EXPECT_EQ(command.at_once(), 3U);
    int type = 0;
    socklen_t size = sizeof type;
    ASSERT_EQ(getsockopt(command.socket(), SOL_SOCKET, SO_TYPE, &type, &size), 0);
    EXPECT_EQ(type, SOCK_SEQPACKET);
    EXPECT_EQ(fcntl(command.socket(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    const auto answer = run(command);
    EXPECT_EQ(answer.outcome, EventOutcome::exited);
    EXPECT_EQ(answer.detail, 5);
}

TEST_F(EventCommandTest, TimeAndNumberAreTheSettings) {
    auto settings = shell("sleep 1000");
    settings.time_limit = 0s;
    const EventCommand command(settings);
    EXPECT_EQ(run(command).outcome, EventOutcome::timed_out);
}

TEST_F(EventCommandTest, WhatTheHelperMustNotHaveIsDroppedInItAlone) {
    std::string secret = "secret";
    const std::string place = folder / "forgotten";
    const EventCommand command(shell("cat " + place + " > /dev/null"), [&] {
        secret.clear();
        folder.write("forgotten", std::to_string(getpid()));
    });
    EXPECT_EQ(secret, "secret");
    EXPECT_EQ(run(command).detail, 0) << "it was dropped before the first command";
    EXPECT_EQ(folder.read("forgotten"), std::to_string(helper()));
}

TEST_F(EventCommandTest, NothingThatTheProgramHasOpenIsTheHelpers) {
    std::vector<base::Descriptor> open_ones;
    for (int i = 0; i < 20; ++i) open_ones.emplace_back(open("/dev/zero", O_RDONLY));
    const EventCommand command(shell("exit 0"));
    std::size_t count = 0;
    EXPECT_EQ(run(command).outcome, EventOutcome::exited);
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(helper()) + "/fd")) {
        const auto number = std::stoi(entry.path().filename().string());
        if (number < 3) continue;
        ++count;
        EXPECT_NE(std::filesystem::read_symlink(entry), "/dev/zero");
    }
    EXPECT_EQ(count, 2U) << "the socket, and that of its signals";
}

TEST_F(EventCommandTest, WhatATerminalSendsIsForTheProgram) {
    const EventCommand command(shell("exit 0"));
    EXPECT_EQ(run(command).outcome, EventOutcome::exited);  // it is at work
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        ASSERT_EQ(kill(helper(), signal), 0);
        EXPECT_EQ(run(command).outcome, EventOutcome::exited) << signal;
    }
}

TEST_F(EventCommandTest, ItEndsWithItsOwner) {
    {
        const EventCommand command(shell("exit 0"));
        EXPECT_GT(helper(), 0);
    }
    EXPECT_EQ(helper(), -1);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "and leaves no zombie";
    EXPECT_EQ(errno, ECHILD);
}

TEST_F(EventCommandTest, AUserThatIsNotThereEndsTheHelper) {
    auto settings = shell("exit 0");
    settings.user = "no-such-user-of-sftdyn";
    const EventCommand command(settings);
    char octet = 0;
    const ssize_t size = recv(command.socket(), &octet, 1, 0);
    EXPECT_EQ(size, 0) << "nothing is run as somebody else";
}

}  // namespace
}  // namespace sftdyn::server
