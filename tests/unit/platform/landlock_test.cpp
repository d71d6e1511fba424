// SPDX-License-Identifier: GPL-3.0-or-later
// What the rules forbid is tried in a process that has them, and fails; what they allow works.
#include "platform/landlock.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <seccomp.h>

#include "base/descriptor.hpp"
#include "base/sanitized.hpp"
#include "child_process.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::platform {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(LandlockGaps, AreThoseOfTheKernelsVersion) {
    EXPECT_EQ(landlock_gaps(1), landlock_gaps(2));
    EXPECT_EQ(landlock_gaps(2),
              "emptying a file that may be read, listening on further ports, signals to other "
              "processes, connecting to Unix sockets");
    EXPECT_EQ(landlock_gaps(3),
              "listening on further ports, signals to other processes, connecting to Unix sockets");
    for (const int abi : {4, 5})
        EXPECT_EQ(landlock_gaps(abi), "signals to other processes, connecting to Unix sockets");
    for (const int abi : {6, 7, 8}) EXPECT_EQ(landlock_gaps(abi), "connecting to Unix sockets");
    for (const int abi : {9, 10}) EXPECT_THAT(landlock_gaps(abi), IsEmpty());
}

class LandlockTest : public testing::Test {
protected:
    void SetUp() override {
        if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
        named.write("conf", "conf");
        apart.write("secret", "secret");
    }

    /// Who is not root may restrict itself only so.
    static void gain_nothing() { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
    /// What is tried in a child that has the rules.
    template <class Attempts>
    static std::map<std::string, std::string> restricted(const LandlockRules& rules,
                                                         const Attempts& attempts) {
        return outcomes(in_child([&]() -> std::string {
            gain_nothing();
            const auto done = restrict_files(rules);
            return done.has_error() ? done.error().text() : try_all(attempts);
        }));
    }
    static long opened(const std::string& path, int flags) {
        return base::Descriptor(open(path.c_str(), flags | O_CLOEXEC, 0600)).get();
    }
    static Attempt opening(const char* name, const std::string& path, int flags) {
        return {name, [path, flags] { return opened(path, flags); }};
    }

    // Neither is below a folder that services read from anyway. Of /dev only named folders are.
    const TemporaryFolder named{"/tmp"};
    const TemporaryFolder apart{"/dev/shm"};
};

TEST_F(LandlockTest, ReadIsWhatIsNamedAndWhatServicesRead) {
    const std::vector<Attempt> attempts{
        opening("named", named / "conf", O_RDONLY),
        {"beside it", [&] { return opened(named.path(), O_RDONLY | O_DIRECTORY); }},
        opening("apart", apart / "secret", O_RDONLY),
        opening("etc", "/etc/passwd", O_RDONLY),
        opening("proc", "/proc/self/status", O_RDONLY),
        opening("random", "/dev/urandom", O_RDONLY),
        opening("null", "/dev/null", O_RDONLY),
        opening("root", "/", O_RDONLY | O_DIRECTORY)};
    using Outcomes = std::map<std::string, std::string>;
    const Outcomes usual{{"named", "EACCES"}, {"beside it", "EACCES"}, {"apart", "EACCES"},
                         {"etc", "works"},    {"proc", "works"},       {"random", "works"},
                         {"null", "works"},   {"root", "EACCES"}};
    EXPECT_EQ(restricted({}, attempts), usual);
    Outcomes with_conf = usual;
    with_conf["named"] = with_conf["beside it"] = "works";
    EXPECT_EQ(restricted({.files = {named / "conf"}}, attempts), with_conf);
    Outcomes with_secret = usual;
    with_secret["apart"] = "works";
    EXPECT_EQ(restricted({.files = {apart / "secret"}}, attempts), with_secret);
    std::filesystem::create_symlink(apart / "secret", named / "link");
    Outcomes with_link = with_conf;
    with_link["apart"] = "works";
    EXPECT_EQ(restricted({.files = {named / "link"}}, attempts), with_link);
}

TEST_F(LandlockTest, AFileThatIsReplacedOrMadeLaterIsRead) {
    const std::string text = in_child([&]() -> std::string {
        // Only the thread has the rules, so this one can change the files meanwhile.
        gain_nothing();
        std::promise<bool> restricted, replaced;
        std::string out;
        std::thread reader([&] {
            restricted.set_value(
                !restrict_files({.files = {named / "conf", named / "below/later"}}).has_error());
            replaced.get_future().wait();
            for (const char* name : {"conf", "below/later"})
                out += outcome_of([&] { return opened(named / name, O_RDONLY); }) + ' ';
            out += outcome_of([&] { return opened(named / "conf", O_RDWR); });
        });
        const bool has_rules = restricted.get_future().get();
        std::filesystem::rename(named.write("fresh", "new"), named / "conf");
        std::filesystem::create_directory(named / "below");
        named.write("below/later", "later");
        replaced.set_value(true);
        reader.join();
        return has_rules ? out : "there are no rules";
    });
    EXPECT_EQ(text, "works works EACCES");
}

TEST_F(LandlockTest, NothingIsWrittenMadeRemovedOrExecuted) {
    const std::string conf = named / "conf", fresh = named / "new";
    std::filesystem::create_directory(named / "folder");
    std::vector<Attempt> attempts{
        opening("write", conf, O_WRONLY),
        opening("append", conf, O_RDWR | O_APPEND),
        opening("make", fresh, O_WRONLY | O_CREAT),
        opening("write a device", "/dev/null", O_WRONLY),
        {"remove", [=] { return unlink(conf.c_str()); }},
        {"rename", [=] { return rename(conf.c_str(), fresh.c_str()); }},
        {"make a folder", [=] { return mkdir(fresh.c_str(), 0700); }},
        {"remove a folder", [this] { return rmdir((named / "folder").c_str()); }},
        {"link", [=] { return symlink("conf", fresh.c_str()); }},
        {"pipe", [=] { return mkfifo(fresh.c_str(), 0600); }},
        {"execute", [] {
             // In a process of its own: who may execute does not come back.
             const pid_t child = fork();
             if (child == 0) {
                 char* words[] = {nullptr};
                 execve("/bin/true", words, words);
                 _exit(errno);
             }
             int status = 0;
             waitpid(child, &status, 0);
             errno = WEXITSTATUS(status);
             return errno == 0 ? 0 : -1;
         }}};
    if (landlock_abi() >= 3)
        attempts.push_back({"empty", [=] { return truncate(conf.c_str(), 0); }});
    for (const auto& [name, outcome] : restricted({.files = {conf}}, attempts))
        EXPECT_EQ(outcome, "EACCES") << name;
    EXPECT_EQ(text_of_file(conf), "conf");
}

TEST_F(LandlockTest, AWritableFolderTakesFilesAndNothingElse) {
    std::filesystem::create_directory(named / "state");
    const std::string file = named / "state/hosts", other = named / "state/other";
    const auto done = restricted(
        {.writable = {named / "state"}},
        std::vector<Attempt>{opening("make", file, O_RDWR | O_CREAT),
                             opening("write", file, O_WRONLY),
                             {"empty", [=] { return truncate(file.c_str(), 0); }},
                             opening("read", file, O_RDONLY),
                             {"link", [=] { return symlink("hosts", other.c_str()); }},
                             {"make a folder", [=] { return mkdir(other.c_str(), 0700); }},
                             {"pipe", [=] { return mkfifo(other.c_str(), 0600); }},
                             {"remove", [=] { return unlink(file.c_str()); }},
                             opening("beside it", named / "conf", O_RDONLY),
                             opening("make beside it", named / "new", O_RDWR | O_CREAT)});
    const std::map<std::string, std::string> expected{
        {"make", "works"},           {"write", "works"},  {"empty", "works"},
        {"read", "works"},           {"link", "EACCES"},  {"make a folder", "EACCES"},
        {"pipe", "EACCES"},          {"remove", "works"}, {"beside it", "EACCES"},
        {"make beside it", "EACCES"}};
    EXPECT_EQ(done, expected);
}

TEST_F(LandlockTest, ASocketsNameMayBeTakenAway) {
    std::filesystem::create_directory(named / "run");
    named.write("run/socket", "");
    const std::string path = named / "run/socket";
    const auto done =
        restricted({.sockets = {path}},
                   std::vector<Attempt>{
                       opening("write", path, O_WRONLY),
                       opening("make", named / "run/new", O_RDWR | O_CREAT),
                       {"remove elsewhere", [this] { return unlink((named / "conf").c_str()); }},
                       {"remove", [=] { return unlink(path.c_str()); }}});
    const std::map<std::string, std::string> expected{{"write", "EACCES"},
                                                      {"make", "EACCES"},
                                                      {"remove elsewhere", "EACCES"},
                                                      {"remove", "works"}};
    EXPECT_EQ(done, expected);
}

TEST_F(LandlockTest, NoFurtherPortIsListenedOn) {
    if (landlock_abi() < 4) GTEST_SKIP() << "this kernel's Landlock knows no ports";
    const auto done = restricted(
        {}, std::vector<Attempt>{{"bind", [] {
                                      const base::Descriptor socket(
                                          ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
                                      sockaddr_in address{};
                                      address.sin_family = AF_INET;
                                      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                                      return bind(socket.get(),
                                                  reinterpret_cast<const sockaddr*>(&address),
                                                  sizeof address);
                                  }}});
    EXPECT_EQ(done.at("bind"), "EACCES");
}

TEST_F(LandlockTest, OthersGetNoSignal) {
    if (landlock_abi() < 6) GTEST_SKIP() << "this kernel's Landlock knows no signals";
    const auto done =
        restricted({}, std::vector<Attempt>{{"another", [] { return kill(getppid(), 0); }},
                                            {"itself", [] { return kill(getpid(), 0); }}});
    EXPECT_EQ(done.at("another"), "EPERM");
    EXPECT_EQ(done.at("itself"), "works");
}

TEST_F(LandlockTest, AbstractSocketsOfOthersAreNotReached) {
    if (landlock_abi() < 6) GTEST_SKIP() << "this kernel's Landlock knows no sockets";
    const base::Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // The kernel gives it an abstract name of its own.
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address),
                   offsetof(sockaddr_un, sun_path)),
              0);
    ASSERT_EQ(listen(listener.get(), 4), 0);
    socklen_t size = sizeof address;
    ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    const std::vector<Attempt> attempts{
        {"connect", [=] {
             const base::Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
             return connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size);
         }}};
    EXPECT_EQ(restricted({}, attempts).at("connect"), "EPERM");
}

TEST_F(LandlockTest, ARuleThatCanNotBeSetPermitsNothing) {
    const auto done = restricted({.files = {"/no/such/folder/file"},
                                  .sockets = {"/no/such/folder/socket"},
                                  .writable = {"/no/such/folder"}},
                                 std::vector<Attempt>{opening("named", named / "conf", O_RDONLY),
                                                      opening("etc", "/etc/passwd", O_RDONLY)});
    EXPECT_EQ(done.at("named"), "EACCES");
    EXPECT_EQ(done.at("etc"), "works");
}

TEST_F(LandlockTest, WhereItFailsNothingIsRestricted) {
    if (base::sanitized) GTEST_SKIP() << "a sanitizer's run-time takes no seccomp filter";
    for (const auto& [call, what] :
         {std::pair("landlock_create_ruleset", "the kernel does not offer it"),
          {"landlock_restrict_self", "its rules could not be set"}}) {
        for (const bool tracing : {false, true}) {
            const std::string text = in_child([&, name = call]() -> std::string {
                // A kernel without it.
                scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
                seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), seccomp_syscall_resolve_name(name),
                                 0);
                if (seccomp_load(filter) != 0) return "there is no filter";
                seccomp_release(filter);
                const auto done = tracing ? restrict_tracing() : restrict_files({});
                if (!done.has_error()) return "no error";
                return done.error().text() + '\n' +
                       outcome_of([&] { return opened(named / "conf", O_RDWR); });
            });
            EXPECT_THAT(text, HasSubstr(what));
            EXPECT_THAT(text, HasSubstr("[process] landlock = false silences it\nworks"));
        }
    }
}

TEST_F(LandlockTest, TheHelperTracesNobodyAndMakesNoDevice) {
    std::filesystem::create_directory(named / "folder");
    const pid_t victim = fork();
    if (victim == 0) {
        for (;;) pause();
    }
    const auto trace = [](pid_t process) -> long {
        const long seized = ptrace(PTRACE_SEIZE, process, 0, 0);
        const int error = errno;
        if (seized == 0) ptrace(PTRACE_DETACH, process, 0, 0);
        errno = error;
        return seized;
    };
    const std::vector<Attempt> attempts{
        {"another", [&] { return trace(victim); }},
        {"its own",
         [&] {
             const pid_t own = fork();
             if (own == 0) {
                 for (;;) pause();
             }
             const long traced = trace(own);
             const int error = errno;
             kill(own, SIGKILL);
             waitpid(own, nullptr, 0);
             errno = error;
             return traced;
         }},
        {"device",
         [this] { return mknod((named / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)); }},
        {"disk", [this] { return mknod((named / "disk").c_str(), S_IFBLK | 0600, makedev(8, 0)); }},
        {"pipe", [this] { return mkfifo((named / "pipe").c_str(), 0600); }},
        opening("write", named / "conf", O_RDWR),
        opening("apart", apart / "secret", O_RDONLY),
        {"rename",
         [this] { return rename((named / "conf").c_str(), (named / "folder/conf").c_str()); }},
        {"signal", [] { return kill(getppid(), 0); }}};
    const auto done = outcomes(in_child([&]() -> std::string {
        gain_nothing();
        return restrict_tracing().has_error() ? "not restricted" : try_all(attempts);
    }));
    kill(victim, SIGKILL);
    waitpid(victim, nullptr, 0);
    const std::map<std::string, std::string> expected{
        {"another", "EPERM"}, {"its own", "works"}, {"device", "EACCES"},
        {"disk", "EACCES"},   {"pipe", "works"},    {"write", "works"},
        {"apart", "works"},   {"rename", "works"},  {"signal", "works"}};
    EXPECT_EQ(done, expected);
}

}  // namespace
}  // namespace sftdyn::platform
