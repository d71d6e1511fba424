// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/sandbox.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/sanitized.hpp"
#include "base/system_user.hpp"
#include "base/unix_datagram.hpp"
#include "child_process.hpp"
#include "datagram_receiver.hpp"
#include "platform/landlock.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::platform {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* other_user = "daemon";  // every Debian has one

/// What the log says from now on, in a child.
std::shared_ptr<std::ostringstream> capture_log() {
    auto text = std::make_shared<std::ostringstream>();
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(*text);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("", sink));
    return text;
}

class DropPrivileges : public testing::Test {
protected:
    /// What a child says, which has dropped them.
    static std::string dropped(const std::optional<std::string>& user) {
        return in_child([&]() -> std::string {
            const auto log = capture_log();
            const auto done = drop_privileges(user);
            if (done.has_error()) return done.error().text();
            rlimit core{1, 1};
            getrlimit(RLIMIT_CORE, &core);
            std::string out;
            for (const bool thread : {false, true}) {
                std::string part;
                const auto look = [&] {
                    for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
                        part += fmt::format("{} {:x}, ", name,
                                            std::stoull(own_status(name), nullptr, 16));
                    part += "NoNewPrivs " + own_status("NoNewPrivs") + "; ";
                };
                thread ? std::thread(look).join() : look();
                out += part;
            }
            out += fmt::format("core {} {}, ", core.rlim_cur, core.rlim_max);
            out += fmt::format("dumpable {}", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
            return out + log->str();
        });
    }
    static std::string expected(const char* capabilities) {
        std::string thread;
        for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
            thread +=
                fmt::format("{} {}, ", name,
                            std::string_view(name) == "CapPrm" || std::string_view(name) == "CapEff"
                                ? capabilities
                                : "0");
        thread += "NoNewPrivs 1; ";
        return thread + thread + fmt::format("core 0 0, dumpable {}", base::sanitized ? 1 : 0);
    }
};

TEST_F(DropPrivileges, LeavesRootTheRightToReadAndOthersNothing) {
    EXPECT_EQ(dropped(std::nullopt), expected(geteuid() == 0 ? "4" : "0"));
}

TEST_F(DropPrivileges, OfAnotherUserNothingIsLeft) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    // A sanitizer's process may be looked into again, which a change of user forbids otherwise.
    std::string text = expected("0");
    if (base::sanitized) text.back() = '0';
    EXPECT_EQ(dropped(other_user), text);
}

TEST_F(DropPrivileges, ItBecomesTheUserWithAllGroupsAndThereIsNoWayBack) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const auto user = base::find_user(other_user);
    ASSERT_TRUE(user);
    const auto ids = outcomes(in_child([&]() -> std::string {
        const gid_t more[] = {0, 12345};
        if (setgroups(2, more) != 0 || drop_privileges(other_user).has_error()) return "failed";
        std::string groups;
        for (const char c : own_status("Groups")) groups += c == ' ' ? ',' : c;
        return fmt::format("user\t{}\ngroup\t{}\ngroups\t{}\n", own_status("Uid"),
                           own_status("Gid"), groups) +
               try_all({{"root again", [] { return setresuid(0, 0, 0); }},
                        {"group root again", [] { return setresgid(0, 0, 0); }}});
    }));
    EXPECT_EQ(ids.at("user"), fmt::format("{0}\t{0}\t{0}\t{0}", user->uid));
    EXPECT_EQ(ids.at("group"), fmt::format("{0}\t{0}\t{0}\t{0}", user->gid));
    // Those that the system has for the user, and none of root's.
    std::vector<gid_t> own(64);
    int count = static_cast<int>(own.size());
    ASSERT_GE(getgrouplist(other_user, user->gid, own.data(), &count), 0);
    own.resize(static_cast<std::size_t>(count));
    std::sort(own.begin(), own.end());
    EXPECT_EQ(ids.at("groups"), fmt::format("{}", fmt::join(own, ",")));
    EXPECT_EQ(ids.at("root again"), "EPERM");
    EXPECT_EQ(ids.at("group root again"), "EPERM");
}

TEST_F(DropPrivileges, TheBoundingSetIsDroppedToo) {
    if (geteuid() != 0) GTEST_SKIP() << "only root has the right to change it";
    const auto bound = [](const std::optional<std::string>& user) {
        return in_child([&] {
            return drop_privileges(user).has_error() ? std::string("failed") : own_status("CapBnd");
        });
    };
    EXPECT_EQ(bound(std::nullopt), "0000000000000004");
}

TEST_F(DropPrivileges, AUserThatIsNotThereIsAnError) {
    EXPECT_THAT(
        dropped("no-such-user-here"),
        HasSubstr(geteuid() == 0 ? "can't become the user no-such-user-here: there is no user of "
                                   "that name; name a user of this machine"
                                 : "can't become the user no-such-user-here: only root can"));
}

TEST_F(DropPrivileges, OnlyRootBecomesAnother) {
    if (geteuid() != 0) GTEST_SKIP() << "it takes another user than this one";
    const std::string text = in_child([]() -> std::string {
        if (drop_privileges(other_user).has_error()) return "failed";
        const auto root = drop_privileges("root"), same = drop_privileges(other_user);
        return (root.has_error() ? root.error().text() : "became root") +
               (same.has_error() ? same.error().text() : "\nis who it is");
    });
    EXPECT_EQ(text,
              "can't become the user root: only root can; start it as root, or leave out [process] "
              "user\nis who it is");
}

/// The sandbox with one half of it, both, or none.
class Sandbox : public testing::TestWithParam<std::tuple<bool, bool>> {
protected:
    void SetUp() override {
        if (landlock && landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
        if (seccomp && base::sanitized)
            GTEST_SKIP() << "there is no filter where a sanitizer's run-time makes calls of its "
                            "own";
        conf = named.write("conf", "conf");
        secret = apart.write("secret", "secret");
        std::filesystem::create_directory(named / "state");
        named.write("state/old", "old");
    }

    [[nodiscard]] SandboxSettings settings() const {
        SandboxSettings out;
        out.seccomp = seccomp;
        out.landlock = landlock;
        out.files = {conf};
        return out;
    }
    static long opened(const std::string& path, int flags, unsigned mode = 0600) {
        return base::Descriptor(open(path.c_str(), flags | O_CLOEXEC, mode)).get();
    }
    /// By the first thread and by one that starts later.
    template <class Enter>
    static std::vector<std::map<std::string, std::string>> outcomes_in(
        const Enter& enter, const std::vector<Attempt>& attempts) {
        std::vector<std::map<std::string, std::string>> out;
        for (const bool thread : {false, true}) {
            out.push_back(outcomes(in_child([&]() -> std::string {
                const auto log = capture_log();
                // As `drop_privileges` does; who is not root could not restrict itself else.
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                enter();
                std::string text;
                const auto look = [&] { text = try_all(attempts); };
                thread ? std::thread(look).join() : look();
                return text + (log->str().empty() ? "" : "log\t" + log->str());
            })));
        }
        return out;
    }
    /// The first half that forbids it is the one whose error is seen: the filter comes first.
    [[nodiscard]] std::string by(bool filter, bool rules) const {
        return seccomp && filter ? "EPERM" : landlock && rules ? "EACCES" : "works";
    }

    const bool seccomp = std::get<0>(GetParam()), landlock = std::get<1>(GetParam());
    const TemporaryFolder named{"/tmp"}, apart{"/dev/shm"};
    std::string conf, secret;
};

TEST_P(Sandbox, ServesAndDoesNothingElse) {
    const std::vector<Attempt> attempts{
        {"read", [&] { return opened(conf, O_RDONLY); }},
        {"read apart", [&] { return opened(secret, O_RDONLY); }},
        {"write", [&] { return opened(conf, O_WRONLY); }},
        {"make", [&] { return opened(named / "state/new", O_RDWR | O_CREAT); }},
        {"remove",
         [&] { return unlink((named / "state/old").c_str()) != 0 && errno != ENOENT ? -1 : 0; }},
        {"fork",
         []() -> long {
             const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
             if (child == 0) _exit(0);
             return child;
         }},
        {"Unix datagrams", [] { return base::Descriptor(socket(AF_UNIX, SOCK_DGRAM, 0)).get(); }},
        {"TCP", [] { return base::Descriptor(socket(AF_INET6, SOCK_STREAM, 0)).get(); }}};
    for (const auto& done : outcomes_in([&] { enter_sandbox(settings()); }, attempts)) {
        EXPECT_EQ(done.at("read"), "works");
        EXPECT_EQ(done.at("read apart"), by(false, true));
        EXPECT_EQ(done.at("write"), by(true, true));
        EXPECT_EQ(done.at("make"), by(true, true));
        EXPECT_EQ(done.at("remove"), by(true, true));
        EXPECT_EQ(done.at("fork"), by(true, false));
        EXPECT_EQ(done.at("Unix datagrams"), by(true, false));
        EXPECT_EQ(done.at("TCP"), "works");
        const bool gap = landlock && !seccomp && landlock_abi() < 9;
        EXPECT_EQ(done.contains("log"), gap) << "what Landlock alone does not prevent is said";
    }
}

TEST_P(Sandbox, AStateFolderIsWrittenTo) {
    auto wanted = settings();
    wanted.writable = {named / "state"};
    const std::vector<Attempt> attempts{
        {"make", [&] { return opened(named / "state/hosts", O_RDWR | O_CREAT); }},
        {"make with set-user-ID",
         [&] { return opened(named / "state/program", O_RDWR | O_CREAT, 04755); }},
        {"make elsewhere", [&] { return opened(named / "new", O_RDWR | O_CREAT); }},
        {"write", [&] { return opened(conf, O_WRONLY); }},
        {"remove elsewhere",
         [&] { return unlink((named / "none").c_str()) != 0 && errno != ENOENT ? -1 : 0; }},
        {"remove", [&] { return unlink((named / "state/hosts").c_str()); }}};
    for (const auto& done : outcomes_in([&] { enter_sandbox(wanted); }, attempts)) {
        EXPECT_EQ(done.at("make"), "works");
        EXPECT_EQ(done.at("make with set-user-ID"), by(true, false));
        EXPECT_EQ(done.at("make elsewhere"), by(false, true));
        EXPECT_EQ(done.at("write"), by(false, true));
        EXPECT_EQ(done.at("remove"), "works");
    }
}

TEST_P(Sandbox, ASocketIsTakenAwayAtTheEnd) {
    auto wanted = settings();
    wanted.sockets = {named / "state/socket"};
    const std::vector<Attempt> attempts{
        {"make", [&] { return opened(named / "state/new", O_RDWR | O_CREAT); }},
        {"remove", [&] {
             return unlink((named / "state/socket").c_str()) != 0 && errno != ENOENT ? -1 : 0;
         }}};
    for (const auto& done : outcomes_in([&] { enter_sandbox(wanted); }, attempts)) {
        EXPECT_EQ(done.at("make"), by(true, true));
        EXPECT_EQ(done.at("remove"), "works");
    }
}

TEST_P(Sandbox, WhatIsConnectedStaysSo) {
    const DatagramReceiver systemd, other;
    const auto socket = base::connect_unix_datagram(systemd.name());
    auto wanted = settings();
    wanted.connected = {socket.get()};
    const std::vector<Attempt> attempts{
        {"send", [&] { return base::send_datagram(socket, "READY=1") ? 0 : -1; }},
        {"connect", [&] { return connect_to(socket, other); }},
        {"another", [] { return base::Descriptor(::socket(AF_UNIX, SOCK_DGRAM, 0)).get(); }}};
    for (const auto& done : outcomes_in([&] { enter_sandbox(wanted); }, attempts)) {
        EXPECT_EQ(done.at("send"), "works");
        EXPECT_EQ(done.at("connect"), by(true, landlock_abi() >= 9));
        EXPECT_EQ(done.at("another"), by(true, false));
    }
    // A child shares the socket: one that could connect it anew has done so for the second.
    EXPECT_EQ(systemd.received().size(), by(true, landlock_abi() >= 9) == "works" ? 1U : 2U);
}

TEST_P(Sandbox, TheHelpersCommandIsInItToo) {
    const std::vector<Attempt> attempts{
        {"system", [] { return syscall(SYS_unshare, 0); }},
        {"device",
         [&]() -> long {
             const long made = mknod((named / "state/null").c_str(), S_IFCHR | 0600, makedev(1, 3));
             // Who is not root may not in any case.
             return made != 0 && errno == EPERM ? 0 : made;
         }},
        {"read apart", [&] { return opened(secret, O_RDONLY); }},
        {"write", [&] { return opened(named / "state/new", O_RDWR | O_CREAT); }},
        {"command", [&] { return system("exec cat /proc/self/status >/dev/null"); }}};
    for (const auto& done :
         outcomes_in([&] { enter_helper_sandbox(landlock, seccomp); }, attempts)) {
        EXPECT_EQ(done.at("system"), seccomp ? "EPERM" : "works");
        if (landlock) {
            EXPECT_EQ(done.at("device"), "EACCES");
        }
        EXPECT_EQ(done.at("read apart"), "works");
        EXPECT_EQ(done.at("write"), "works");
        EXPECT_EQ(done.at("command"), "works");
        EXPECT_FALSE(done.contains("log"));
    }
}

std::string halves_of(const testing::TestParamInfo<std::tuple<bool, bool>>& row) {
    const auto [seccomp, landlock] = row.param;
    if (!seccomp && !landlock) return "Neither";
    return std::string(seccomp ? "Seccomp" : "") + (landlock ? "Landlock" : "");
}

INSTANTIATE_TEST_SUITE_P(Halves, Sandbox, testing::Combine(testing::Bool(), testing::Bool()),
                         halves_of);

TEST(SandboxOnAnOldKernel, WhatIsMissingIsSaidAndItServesAllTheSame) {
    if (base::sanitized) GTEST_SKIP() << "a sanitizer's run-time takes no seccomp filter";
    const std::string text = in_child([]() -> std::string {
        const auto log = capture_log();
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        // With the first filter neither Landlock nor another filter can be had.
        enter_sandbox({.landlock = false});
        enter_sandbox({});
        return log->str();
    });
    EXPECT_THAT(text, HasSubstr("no Landlock: the kernel does not offer it"));
    EXPECT_THAT(text, HasSubstr("[process] landlock = false silences it"));
    EXPECT_THAT(text, HasSubstr("no seccomp filter: "));
    EXPECT_THAT(text, HasSubstr("[process] seccomp = false silences it"));
}

}  // namespace
}  // namespace sftdyn::platform
