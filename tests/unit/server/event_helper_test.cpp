// SPDX-License-Identifier: GPL-3.0-or-later
// The helper in a process that the test forks; the commands are /bin/sh's. Where something must
// have happened, the command says so in a pipe, whose end shows that no process of it is left.
#include "server/event_helper.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <set>

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;

class EventHelperTest : public testing::Test {
protected:
    ~EventHelperTest() override {
        if (helper > 0) end();
    }

    static std::vector<std::string> shell(const std::string& text) {
        return {"/bin/sh", "-c", text};
    }
    /// Commands write to descriptor 9, and `read_line` reads it.
    void start(std::vector<std::string> command, std::size_t at_once = 4,
               base::Duration time_limit = 1h) {
        std::array<int, 2> ends{}, pipe{};
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
        ASSERT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
        socket = base::Descriptor(ends[0]);
        told = base::Descriptor(pipe[0]);
        helper = fork();
        ASSERT_GE(helper, 0);
        if (helper == 0) {
            socket.reset();
            if (dup2(pipe[1], 9) != 9) _exit(99);
            EventHelper(base::Descriptor(ends[1]), std::move(command), at_once, time_limit).work();
        }
        close(ends[1]);
        close(pipe[1]);
    }
    /// Its exit status once the program has gone.
    int end() {
        socket.reset();
        int status = 0;
        EXPECT_EQ(waitpid(std::exchange(helper, -1), &status, 0) > 0, true);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    void tell(std::uint64_t id, const std::string& host = "a.example") const {
        const Event event{EventKind::change, host, dns::Type::a, {}, {}, 0};
        const auto octets = EventMessage{id, event}.write();
        ASSERT_TRUE(octets);
        send_octets({reinterpret_cast<const char*>(octets->data()), octets->size()});
    }
    void send_octets(std::string_view octets) const {
        ASSERT_EQ(send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(octets.size()));
    }
    EventAnswer answer() const {
        std::array<char, EventAnswer::size + 1> octets{};
        const ssize_t size = recv(socket.get(), octets.data(), octets.size(), 0);
        const auto read =
            EventAnswer::read({octets.data(), static_cast<std::size_t>(size < 0 ? 0 : size)});
        EXPECT_TRUE(read.has_value());
        return read.value_or(EventAnswer{});
    }
    /// Of what commands have told; empty: all that could tell something have ended.
    std::string read_line() const {
        std::string line;
        for (char octet = 0; read(told.get(), &octet, 1) == 1 && octet != '\n';) line += octet;
        return line;
    }

    pid_t helper = -1;
    base::Descriptor socket, told;
};

TEST_F(EventHelperTest, ACommandsEndIsTold) {
    start(shell("case $SFTDYN_HOST in ok) exit 0;; bad) exit 3;; *) kill -USR1 $$;; esac"));
    for (const auto& [host, outcome, detail] :
         {std::tuple("ok", EventOutcome::exited, 0), std::tuple("bad", EventOutcome::exited, 3),
          std::tuple("killed", EventOutcome::signalled, SIGUSR1)}) {
        tell(7, host);
        const auto said = answer();
        EXPECT_EQ(said.id, 7U);
        EXPECT_EQ(said.outcome, outcome) << host;
        EXPECT_EQ(said.detail, detail) << host;
    }
    EXPECT_EQ(end(), 0);
}

TEST_F(EventHelperTest, WhatCanNotBeRunIsToldWithTheErrorsNumber) {
    start({"/no/such/program"});
    tell(1);
    const auto said = answer();
    EXPECT_EQ(said.outcome, EventOutcome::not_run);
    EXPECT_EQ(said.detail, ENOENT);
    end();
    const TemporaryFolder folder;
    folder.write("program", "#!/bin/sh\n");
    start({folder / "program"});
    for (std::uint64_t id = 1; id < 4; ++id) {
        tell(id);
        const auto again = answer();
        EXPECT_EQ(again.id, id);
        EXPECT_EQ(again.outcome, EventOutcome::not_run);
        EXPECT_EQ(again.detail, EACCES);
    }
}

TEST_F(EventHelperTest, ACommandHasItsArgumentsAndItsEventAndNothingElse) {
    setenv("SECRET_OF_THE_PROGRAM", "x", 1);
    start({"/bin/sh", "-c", "echo $0 $1 $SFTDYN_HOST $SFTDYN_EVENT $SECRET_OF_THE_PROGRAM >&9",
           "zero", "one two"});
    unsetenv("SECRET_OF_THE_PROGRAM");
    tell(1, "b.example");
    EXPECT_EQ(read_line(), "zero one two b.example change");
}

/// Its own are its signal descriptor, the socket, and the pipe by which a start that fails is told.
TEST_F(EventHelperTest, ACommandHasNoDescriptorOfTheHelpers) {
    start(
        shell("for n in 3 4 5 6 7 8 10 11 12; do test -S /dev/fd/$n && echo socket $n >&9; done; "
              "ls -l /dev/fd/ | grep -c signalfd >&9"));
    tell(1);
    EXPECT_EQ(read_line(), "0");
    EXPECT_EQ(answer().outcome, EventOutcome::exited);
}

TEST_F(EventHelperTest, ASignalThatTheHelperIgnoresEndsACommand) {
    const auto before = std::signal(SIGTERM, SIG_IGN);
    start(shell("kill -TERM $$; echo alive >&9"));
    std::signal(SIGTERM, before);
    tell(1);
    const auto said = answer();
    EXPECT_EQ(said.outcome, EventOutcome::signalled);
    EXPECT_EQ(said.detail, SIGTERM);
}

TEST_F(EventHelperTest, PastItsTimeACommandAndWhatItHasStartedAreKilled) {
    start(shell("trap '' TERM; sleep 1000 & sleep 1000"), 4, 0s);
    tell(5);
    const auto said = answer();
    EXPECT_EQ(said.id, 5U);
    EXPECT_EQ(said.outcome, EventOutcome::timed_out);
    EXPECT_EQ(end(), 0);
    EXPECT_EQ(read_line(), "") << "nobody of them is left";
}

TEST_F(EventHelperTest, AsManyRunAtOnceAsMayAndTheOthersWaitInTheSocket) {
    const TemporaryFolder folder;
    const std::string gate = folder / "gate";
    ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
    start(shell("echo $SFTDYN_HOST >&9; read line < " + gate), 2);
    for (const char* host : {"a", "b", "c"}) tell(1, host);
    std::set<std::string> begun{read_line(), read_line()};
    EXPECT_EQ(begun, (std::set<std::string>{"a", "b"}));
    std::array<char, 1> octet{};
    const int flags = fcntl(told.get(), F_GETFL);
    fcntl(told.get(), F_SETFL, flags | O_NONBLOCK);
    EXPECT_EQ(read(told.get(), octet.data(), 1), -1) << "the third has not begun";
    int waiting = 0;
    ASSERT_EQ(ioctl(socket.get(), SIOCOUTQ, &waiting), 0);
    EXPECT_GT(waiting, 0);
    fcntl(told.get(), F_SETFL, flags);
    // Whoever reads it first ends.
    const auto open_gate = [&] {
        const base::Descriptor opened(open(gate.c_str(), O_WRONLY | O_CLOEXEC));
        EXPECT_EQ(write(opened.get(), "\n", 1), 1);
    };
    open_gate();
    EXPECT_EQ(answer().outcome, EventOutcome::exited);
    EXPECT_EQ(read_line(), "c");
    EXPECT_EQ(end(), 0);
}

TEST_F(EventHelperTest, WhatNoSftdynSendsIsNotRunAndTheNextIs) {
    start(shell("echo $SFTDYN_HOST >&9"));
    for (const std::string& nonsense :
         {std::string("x"), std::string(EventMessage::size, 'x'), std::string(5000, '\0')})
        send_octets(nonsense);
    tell(9, "good");
    EXPECT_EQ(read_line(), "good");
    EXPECT_EQ(answer().id, 9U);
}

TEST_F(EventHelperTest, WithTheProgramItEndsAndWhatRuns) {
    start(shell("trap 'echo asked >&9; exit 0' TERM; echo begun >&9; sleep 1000 & wait"));
    tell(1);
    EXPECT_EQ(read_line(), "begun");
    EXPECT_EQ(end(), 0);
    EXPECT_EQ(read_line(), "asked") << "it is asked to end first";
    EXPECT_EQ(read_line(), "") << "and what it has started is killed";
}

TEST_F(EventHelperTest, WhatDoesNotEndWhenAskedIsKilled) {
    start(shell("trap '' TERM; echo begun >&9; while :; do sleep 1000; done"));
    tell(1);
    EXPECT_EQ(read_line(), "begun");
    EXPECT_EQ(end(), 0);
    EXPECT_EQ(read_line(), "");
}

TEST_F(EventHelperTest, WhatStillWaitsAtTheEndIsNotBegun) {
    start(shell("echo $SFTDYN_HOST >&9; sleep 1000"), 1);
    tell(1, "first");
    EXPECT_EQ(read_line(), "first");
    tell(2, "second");
    EXPECT_EQ(end(), 0);
    EXPECT_EQ(read_line(), "");
}

}  // namespace
}  // namespace sftdyn::server
