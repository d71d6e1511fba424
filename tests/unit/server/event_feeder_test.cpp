// SPDX-License-Identifier: GPL-3.0-or-later
// The feeder with the real helper, which is forked here; the commands are /bin/sh's.
#include "server/event_feeder.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

#include "captured_log.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

class EventFeederTest : public testing::Test {
protected:
    EventFeederTest() { std::filesystem::create_directory(folder); }
    ~EventFeederTest() override { std::filesystem::remove_all(folder); }

    /// The command's text is run by a shell; $OUT is the file that `told` reads.
    EventCommandSettings shell(const std::string& text) const {
        return {{"/bin/sh", "-c", "OUT=" + out + "; " + text}, 4, 30s, std::nullopt, true, true};
    }

    static Event change(const std::string& host, const std::string& address = "192.0.2.2") {
        return {EventKind::change,         host, dns::Type::a, make_address(address),
                make_address("192.0.2.1"), 1};
    }

    template <class Condition>
    void run_until(Condition condition) {
        const auto deadline = base::Clock::now() + 120s;
        while (!condition() && base::Clock::now() < deadline) io.run_for(10ms);
        EXPECT_TRUE(condition());
    }

    std::vector<std::string> told() const {
        std::ifstream file(out);
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line);
        return lines;
    }

    const std::string folder = testing::TempDir() + "/feeder-" + std::to_string(getpid());
    const std::string out = folder + "/out";
    boost::asio::io_context io;
};

/// A socket holds some 278 messages: what is more must not be lost.
TEST_F(EventFeederTest, NothingIsLostHoweverManyCome) {
    const EventCommand runner(shell("echo $SFTDYN_HOST >> $OUT"));
    EventFeeder feeder(io, runner);
    std::set<std::string> hosts;
    for (int i = 0; i < 350; ++i) {
        const std::string host = "h" + std::to_string(i) + ".example";
        hosts.insert(host);
        feeder.tell(change(host));
    }
    EXPECT_EQ(feeder.counts().waiting, 350U);
    run_until([&] { return feeder.counts().succeeded == 350; });
    const auto lines = told();
    EXPECT_EQ(lines.size(), 350U);
    EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()), hosts);
    EXPECT_EQ(feeder.counts().waiting, 0U);
    EXPECT_EQ(feeder.counts().lost, 0U);
}

TEST_F(EventFeederTest, OfARecordOneRunsAtATimeAndTheNewestStateIsTold) {
    const std::string gate = folder + "/gate";
    const EventCommand runner(
        shell("echo $SFTDYN_OLD_ADDRESS $SFTDYN_ADDRESS >> $OUT; while ! test -e " + gate +
              "; do sleep 0.01; done"));
    EventFeeder feeder(io, runner);
    feeder.tell(change("a.example", "192.0.2.2"));
    run_until([&] { return told().size() == 1; });
    for (int i = 3; i < 9; ++i) {
        Event event = change("a.example", "192.0.2." + std::to_string(i));
        event.old_address = make_address("192.0.2." + std::to_string(i - 1));
        feeder.tell(event);
    }
    run_until([&] { return feeder.counts().waiting == 2; });
    EXPECT_EQ(told().size(), 1U);
    std::ofstream(gate) << "open";
    run_until([&] { return feeder.counts().succeeded == 2; });
    EXPECT_THAT(told(), testing::ElementsAre("192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.8"));
}

TEST_F(EventFeederTest, AtMostAsManyRunAtOnceAsMay) {
    // None ends before three have begun.
    auto settings = shell(
        "echo + >> $OUT; while [ $(grep -c + $OUT) -lt 3 ]; do sleep 0.01; done; echo - >> $OUT");
    settings.at_once = 3;
    const EventCommand runner(settings);
    EventFeeder feeder(io, runner);
    for (int i = 0; i < 12; ++i) feeder.tell(change("h" + std::to_string(i)));
    run_until([&] { return feeder.counts().succeeded == 12; });
    int now = 0, most = 0;
    for (const auto& line : told()) most = std::max(most, now += line == "+" ? 1 : -1);
    EXPECT_EQ(most, 3);
}

TEST_F(EventFeederTest, WhatCanNotBeRunIsTriedAgain) {
    const std::string program = folder + "/program";
    const EventCommand runner({{program}, 4, 30s, std::nullopt, true, true});
    EventFeeder feeder(io, runner);
    feeder.tell(change("a.example"));
    run_until([&] { return feeder.counts().not_run >= 1; });
    EXPECT_EQ(feeder.counts().waiting, 1U);
    std::ofstream(program) << "#!/bin/sh\necho $SFTDYN_HOST >> " << out << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    run_until([&] { return feeder.counts().succeeded == 1; });
    EXPECT_THAT(told(), testing::ElementsAre("a.example"));
}

TEST_F(EventFeederTest, WhatFailsIsCountedAndNotRunAgain) {
    const EventCommand runner(shell(
        "echo x >> $OUT; case $SFTDYN_HOST in a) exit 3;; b) kill -9 $$;; c) sleep 60;; esac"));
    auto short_time = shell("echo x >> $OUT; exec sleep 60");
    short_time.time_limit = 50ms;
    const EventCommand impatient(short_time);
    EventFeeder feeder(io, runner), other(io, impatient);
    feeder.tell(change("a"));
    feeder.tell(change("b"));
    other.tell(change("c"));
    run_until([&] { return feeder.counts().failed == 2 && other.counts().timed_out == 1; });
    EXPECT_EQ(told().size(), 3U);
    EXPECT_EQ(feeder.counts().waiting + other.counts().waiting, 0U);
}

TEST_F(EventFeederTest, TheEnvironmentIsTheSixVariablesAndAPath) {
    setenv("SECRET_OF_THE_PROGRAM", "x", 1);
    const EventCommand counting(
        shell("env | grep -v -e ^PWD= -e ^OUT= -e ^_= -e ^SHLVL= | cut -d= -f1 >> $OUT"));
    unsetenv("SECRET_OF_THE_PROGRAM");
    EventFeeder feeder(io, counting);
    feeder.tell(change("a.example"));
    run_until([&] { return feeder.counts().succeeded == 1; });
    EXPECT_THAT(told(), testing::UnorderedElementsAre("PATH", "SFTDYN_EVENT", "SFTDYN_HOST",
                                                      "SFTDYN_TYPE", "SFTDYN_ADDRESS",
                                                      "SFTDYN_OLD_ADDRESS", "SFTDYN_CHECKED_IN"));
}

TEST_F(EventFeederTest, WhoeverAsksIsToldOfWhatWasRunHoweverItEnded) {
    auto settings = shell("case $SFTDYN_HOST in a) exit 0;; b) exit 3;; c) exec sleep 60;; esac");
    settings.time_limit = 2s;
    const EventCommand runner(settings);
    const EventCommand missing({{folder + "/none"}, 4, 30s, std::nullopt, true, true});
    std::set<std::string> run;
    const auto note = [&run](const Event& event) { run.insert(event.host); };
    EventFeeder feeder(io, runner, note), other(io, missing, note);
    for (const char* host : {"a", "b", "c", "a\\032b"}) feeder.tell(change(host));
    other.tell(change("d"));
    run_until([&] { return run.size() == 3 && other.counts().not_run > 0; });
    EXPECT_THAT(run, testing::ElementsAre("a", "b", "c"));
}

TEST_F(EventFeederTest, AllThatWasNotRunAtTheEndIsNamed) {
    CapturedLog log;
    const EventCommand runner(shell("echo x >> $OUT; exec sleep 60"));
    {
        EventFeeder feeder(io, runner);
        for (int i = 0; i < 45; ++i) feeder.tell(change("h" + std::to_string(i) + ".example"));
        run_until([&] { return told().size() == 4; });
    }
    const auto lines = log.lines("warning");
    EXPECT_THAT(lines, testing::Each(testing::HasSubstr(
                           "at the end 45 event commands were not run or had not ended; "
                           "without [admin] state they are lost: ")));
    ASSERT_EQ(lines.size(), 3U);
    const std::string all = lines[0] + "," + lines[1] + "," + lines[2] + ",";
    for (int i = 0; i < 45; ++i)
        EXPECT_THAT(all, testing::HasSubstr(" change h" + std::to_string(i) + ".example A,"));
}

TEST_F(EventFeederTest, ItWaitsForWhatRunsAndNoLongerThanItMay) {
    const EventCommand runner(shell("echo x >> $OUT; sleep 0.2"));
    const EventCommand endless(shell("exec sleep 60"));
    EventFeeder feeder(io, runner), other(io, endless);
    feeder.tell(change("a"));
    feeder.tell(change("b"));
    other.tell(change("a"));
    auto work = boost::asio::make_work_guard(io);
    std::thread thread([this] { io.run(); });
    const auto began = base::Clock::now();
    feeder.wait_until_idle(began + 30s);
    EXPECT_EQ(feeder.counts().succeeded, 2U);
    EXPECT_LT(base::Clock::now() - began, 20s);
    const auto then = base::Clock::now();
    other.wait_until_idle(then + 100ms);
    EXPECT_GE(base::Clock::now() - then, 100ms);
    io.stop();
    thread.join();
}

/// The runner's end ends what runs, and what that has started.
TEST_F(EventFeederTest, CommandsEndWithTheProgram) {
    const auto is_gone = [](const std::string& process) {
        return !std::filesystem::exists("/proc/" + process);
    };
    const auto began = base::Clock::now();
    {
        const EventCommand runner(
            shell("trap '' TERM; sleep 60 & echo $! $$ >> $OUT; wait; wait; sleep 60"));
        EventFeeder feeder(io, runner);
        feeder.tell(change("a"));
        run_until([&] { return told().size() == 1; });
    }
    EXPECT_LT(base::Clock::now() - began, 10s);
    std::istringstream line(told().front());
    for (std::string process; line >> process;) run_until([&] { return is_gone(process); });
}

TEST_F(EventFeederTest, ANameThatCanNotBeToldIsNotRunAndHoldsUpNobody) {
    const EventCommand runner(shell("echo $SFTDYN_HOST >> $OUT"));
    EventFeeder feeder(io, runner);
    feeder.tell(change("a\\032b"));
    feeder.tell(change("c"));
    run_until([&] { return feeder.counts().succeeded == 1; });
    EXPECT_EQ(feeder.counts().lost, 1U);
    EXPECT_THAT(told(), testing::ElementsAre("c"));
}

}  // namespace
}  // namespace sftdyn::server
