// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/systemd_notifier.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <vector>

#include <gmock/gmock.h>

#include "datagram_receiver.hpp"

namespace sftdyn::platform {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A test that is systemd.
class SystemdNotifierTest : public testing::Test {
protected:
    SystemdNotifierTest() { setenv("NOTIFY_SOCKET", systemd.name().c_str(), 1); }
    ~SystemdNotifierTest() override {
        for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
            unsetenv(variable);
    }

    static void set_watchdog(const char* microseconds, pid_t process = getpid()) {
        setenv("WATCHDOG_USEC", microseconds, 1);
        setenv("WATCHDOG_PID", std::to_string(process).c_str(), 1);
    }
    /// What was told since the last time.
    [[nodiscard]] std::vector<std::string> told() const { return systemd.received(); }

    DatagramReceiver systemd;
    boost::asio::io_context io;
};

TEST_F(SystemdNotifierTest, TellsWhatItDoes) {
    SystemdNotifier notifier(io);
    EXPECT_THAT(told(), IsEmpty());
    notifier.ready();
    EXPECT_THAT(told(), ElementsAre("READY=1"));
    notifier.stopping();
    EXPECT_THAT(told(), ElementsAre("STOPPING=1"));
    EXPECT_EQ(io.run(), 0U) << "without a watchdog there is nothing to wait for";
}

TEST_F(SystemdNotifierTest, AReloadHasItsTime) {
    SystemdNotifier notifier(io);
    const auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec * 1'000'000LL + time.tv_nsec / 1000;
    };
    const auto before = now();
    notifier.reloading();
    const auto after = now();
    const auto said = told();
    ASSERT_EQ(said.size(), 1U);
    const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_TRUE(said[0].starts_with(start)) << said[0];
    const auto time = std::stoll(said[0].substr(start.size()));
    EXPECT_GE(time, before);
    EXPECT_LE(time, after);
}

TEST_F(SystemdNotifierTest, TheWatchdogIsToldAgainAndAgain) {
    set_watchdog("2");
    SystemdNotifier notifier(io);
    EXPECT_THAT(told(), IsEmpty()) << "not before it serves";
    notifier.ready();
    EXPECT_THAT(told(), ElementsAre("READY=1", "WATCHDOG=1"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(io.run_one(), 1U);
        EXPECT_THAT(told(), ElementsAre("WATCHDOG=1"));
    }
}

TEST_F(SystemdNotifierTest, TheWatchdogIsNotToldBeforeItIsTime) {
    set_watchdog("3600000000");
    SystemdNotifier notifier(io);
    notifier.ready();
    EXPECT_EQ(io.poll(), 0U);
    EXPECT_THAT(told(), ElementsAre("READY=1", "WATCHDOG=1"));
    EXPECT_FALSE(io.stopped()) << "it will be";
}

TEST_F(SystemdNotifierTest, AWatchdogOfAnotherProcessIsNotFed) {
    set_watchdog("2", getppid());
    SystemdNotifier notifier(io);
    notifier.ready();
    EXPECT_THAT(told(), ElementsAre("READY=1"));
}

TEST_F(SystemdNotifierTest, SystemdThatDoesNotReadStopsNothingAndIsToldLater) {
    set_watchdog("3600000000");
    SystemdNotifier notifier(io);
    // More than its queue takes (unix(7), max_dgram_qlen).
    for (int i = 0; i < 1000; ++i) notifier.reloading();
    notifier.ready();
    auto before = told();
    EXPECT_LT(before.size(), 1000U);
    while (before.empty() || before.back() != "WATCHDOG=1") {
        ASSERT_EQ(io.run_one(), 1U) << "it is tried again";
        for (auto& one : told()) before.push_back(std::move(one));
    }
    ASSERT_GE(before.size(), 2U);
    EXPECT_EQ(before[before.size() - 2], "READY=1");
}

TEST_F(SystemdNotifierTest, WithoutSystemdNothingIsTold) {
    set_watchdog("2");
    unsetenv("NOTIFY_SOCKET");
    SystemdNotifier notifier(io);
    notifier.ready();
    notifier.reloading();
    notifier.stopping();
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(SystemdNotifierTest, TheSocketIsTheOneThatTells) {
    SystemdNotifier notifier(io);
    ASSERT_GE(notifier.socket(), 0);
    ASSERT_EQ(send(notifier.socket(), "STATUS=x", 8, 0), 8);
    EXPECT_THAT(told(), ElementsAre("STATUS=x"));
    unsetenv("NOTIFY_SOCKET");
    EXPECT_EQ(SystemdNotifier(io).socket(), -1);
}

TEST_F(SystemdNotifierTest, AnIntervalThatIsNoneIsNoWatchdog) {
    for (const char* interval : {"", "0", "-2", "2s", "99999999999999999999999"}) {
        set_watchdog(interval);
        SystemdNotifier notifier(io);
        notifier.ready();
        EXPECT_THAT(told(), ElementsAre("READY=1")) << interval;
    }
}

TEST_F(SystemdNotifierTest, AnIntervalOfAgesIsOne) {
    set_watchdog("18446744073709551614");
    SystemdNotifier notifier(io);
    notifier.ready();
    EXPECT_EQ(io.poll(), 0U);
    EXPECT_THAT(told(), ElementsAre("READY=1", "WATCHDOG=1"));
}

TEST_F(SystemdNotifierTest, SystemdThatIsGoneIsNoReasonToEnd) {
    SystemdNotifier notifier(io);
    systemd.close();
    notifier.ready();
    notifier.stopping();
}

TEST_F(SystemdNotifierTest, SystemdThatCanNotBeReachedIsNoReasonToEnd) {
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    set_watchdog("2");
    SystemdNotifier notifier(io);
    notifier.ready();
    EXPECT_EQ(notifier.socket(), -1);
    EXPECT_EQ(io.run(), 0U);
}

}  // namespace
}  // namespace sftdyn::platform
