// SPDX-License-Identifier: GPL-3.0-or-later
// What the filters forbid is tried in a process that has them, and fails; what they allow works.
#include "platform/seccomp.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "base/sanitized.hpp"
#include "base/unix_datagram.hpp"
#include "child_process.hpp"
#include "datagram_receiver.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::platform {
namespace {

using testing::IsEmpty;

/// What a call needs to be allowed.
enum class Need { nothing, state, removal, never };

struct FilteredCall {
    Attempt attempt;
    Need need;
};

bool is_met(Need need, const SeccompNeeds& needs) {
    switch (need) {
        case Need::nothing:
            return true;
        case Need::state:
            return needs.writes_state;
        case Need::removal:
            return needs.writes_state || needs.removes_files;
        case Need::never:
            return false;
    }
    return false;
}

/// The calls that a filter sees the arguments of, and some that need a state folder. `file` is
/// there, and `descriptor` is it, open for reading and writing.
std::vector<FilteredCall> filtered_calls(const TemporaryFolder& folder, int descriptor) {
    const std::string file = folder / "file", fresh = folder / "new", folder_name = folder.path();
    const auto opening = [](std::string path, int flags, unsigned mode = 0) {
        return [path = std::move(path), flags, mode] {
            const long opened = syscall(SYS_openat, AT_FDCWD, path.c_str(), flags, mode);
            if (opened >= 0) close(static_cast<int>(opened));
            return opened;
        };
    };
    const auto socket_of = [](int family, int type) {
        return [family, type]() -> long {
            const int made = socket(family, type, 0);
            if (made >= 0) close(made);
            return made;
        };
    };
    const auto fcntl_of = [descriptor](int command, long argument) {
        return [descriptor, command, argument]() -> long {
            return syscall(SYS_fcntl, descriptor, command, argument);
        };
    };
    const auto map_of = [descriptor](int protection, int flags) {
        return [descriptor, protection, flags]() -> long {
            const bool anonymous = (flags & MAP_ANONYMOUS) != 0;
            void* place = mmap(nullptr, 4096, protection, flags, anonymous ? -1 : descriptor, 0);
            if (place == MAP_FAILED) return -1;
            munmap(place, 4096);
            return 0;
        };
    };
    const auto protect = [](int protection) {
        return [protection]() -> long {
            void* place = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            const long result = mprotect(place, 4096, protection);
            const int error = errno;
            munmap(place, 4096);
            errno = error;
            return result;
        };
    };
    const auto prctl_of = [](int option, unsigned long argument) {
        return [option, argument]() -> long { return prctl(option, argument, 0, 0, 0); };
    };
    return {
        // Sockets: of IP.
        {{"IPv4 TCP", socket_of(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)},
         Need::nothing},
        {{"IPv4 UDP", socket_of(AF_INET, SOCK_DGRAM)}, Need::nothing},
        {{"IPv4 raw", socket_of(AF_INET, SOCK_RAW)}, Need::never},
        {{"Unix datagrams", socket_of(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)}, Need::never},
        {{"Unix stream", socket_of(AF_UNIX, SOCK_STREAM)}, Need::never},
        {{"Unix packets", socket_of(AF_UNIX, SOCK_SEQPACKET)}, Need::never},
        {{"netlink", socket_of(AF_NETLINK, SOCK_RAW)}, Need::never},
        {{"netlink datagrams", socket_of(AF_NETLINK, SOCK_DGRAM)}, Need::never},
        {{"packet", socket_of(AF_PACKET, SOCK_RAW)}, Need::never},
        // Opening.
        {{"read", opening(file, O_RDONLY | O_CLOEXEC)}, Need::nothing},
        {{"read a folder", opening(folder_name, O_RDONLY | O_DIRECTORY)}, Need::nothing},
        {{"write", opening(file, O_WRONLY)}, Need::state},
        {{"read and write", opening(file, O_RDWR | O_APPEND)}, Need::state},
        {{"make", opening(fresh, O_RDWR | O_CREAT, 0644)}, Need::state},
        {{"make for reading", opening(fresh, O_RDONLY | O_CREAT, 0600)}, Need::state},
        {{"make with set-user-ID", opening(fresh, O_RDWR | O_CREAT, 04755)}, Need::never},
        {{"make with set-group-ID", opening(fresh, O_RDWR | O_CREAT, 02755)}, Need::never},
        {{"make sticky", opening(fresh, O_RDWR | O_CREAT, 01755)}, Need::never},
        {{"empty", opening(file, O_WRONLY | O_TRUNC)}, Need::never},
        {{"empty for reading", opening(file, O_RDONLY | O_TRUNC)}, Need::never},
        {{"make empty", opening(fresh, O_RDWR | O_CREAT | O_TRUNC, 0600)}, Need::never},
        {{"without a name", opening(folder_name, O_RDWR | O_TMPFILE, 0600)}, Need::never},
#ifdef SYS_open
        {{"read by open",
          [file]() -> long {
              return static_cast<int>(syscall(SYS_open, file.c_str(), O_RDONLY, 0));
          }},
         Need::nothing},
        {{"write by open", [file] { return syscall(SYS_open, file.c_str(), O_WRONLY, 0); }},
         Need::state},
        {{"empty by open", [file] { return syscall(SYS_open, file.c_str(), O_RDWR | O_TRUNC, 0); }},
         Need::never},
        {{"set-user-ID by open",
          [fresh] { return syscall(SYS_open, fresh.c_str(), O_RDWR | O_CREAT, 04700); }},
         Need::never},
#endif
        // Files that are open, and names.
        {{"flags of a descriptor", fcntl_of(F_GETFD, 0)}, Need::nothing},
        {{"flags of a file", fcntl_of(F_SETFL, O_RDWR)}, Need::nothing},
        {{"owner of signals", fcntl_of(F_SETOWN, 1)}, Need::never},
        {{"number of signals", fcntl_of(F_SETSIG, SIGKILL)}, Need::never},
        {{"lease", fcntl_of(F_SETLEASE, F_UNLCK)}, Need::never},
        {{"octets to read",
          [descriptor] {
              int octets = 0;
              return ioctl(descriptor, FIONREAD, &octets);
          }},
         Need::nothing},
        {{"flags of an inode",
          [descriptor] {
              int flags = 0;
              return ioctl(descriptor, _IOR('f', 1, long), &flags) < 0 && errno == EPERM ? -1 : 0;
          }},
         Need::never},
        {{"synchronize", [descriptor] { return fsync(descriptor); }}, Need::state},
        {{"synchronize data", [descriptor] { return fdatasync(descriptor); }}, Need::state},
        {{"cut", [descriptor] { return ftruncate(descriptor, 4); }}, Need::state},
        {{"write in place", [descriptor] { return pwrite(descriptor, "x", 1, 0); }}, Need::state},
        {{"remove",
          [fresh]() -> long { return unlink(fresh.c_str()) != 0 && errno == EPERM ? -1 : 0; }},
         Need::removal},
        {{"remove at",
          [fresh]() -> long {
              return unlinkat(AT_FDCWD, fresh.c_str(), 0) != 0 && errno == EPERM ? -1 : 0;
          }},
         Need::removal},
        {{"change a mode", [descriptor] { return fchmod(descriptor, 0600); }}, Need::never},
        {{"change an owner", [descriptor] { return fchown(descriptor, getuid(), getgid()); }},
         Need::never},
        {{"rename", [file, fresh] { return rename(file.c_str(), fresh.c_str()); }}, Need::never},
        {{"make a folder", [fresh] { return mkdir(fresh.c_str(), 0700); }}, Need::never},
        // Memory.
        {{"map memory", map_of(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)},
         Need::nothing},
        {{"map a file's code", map_of(PROT_READ | PROT_EXEC, MAP_PRIVATE)}, Need::never},
        {{"map code of no file", map_of(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS)},
         Need::never},
        {{"map code to be written", map_of(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE)},
         Need::never},
        {{"map code to be written without a file",
          map_of(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS)},
         Need::never},
        {{"make memory writable", protect(PROT_READ | PROT_WRITE)}, Need::nothing},
        {{"make memory executable", protect(PROT_READ | PROT_EXEC)}, Need::never},
        // Processes and threads.
        {{"fork",
          []() -> long {
              const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
              if (child == 0) _exit(0);
              return child;
          }},
         Need::never},
        {{"start a thread",
          []() -> long {
              long started = 0;
              std::thread([&] { started = 1; }).join();
              return started - 1;
          }},
         Need::nothing},
        {{"signal itself", [] { return syscall(SYS_tgkill, getpid(), getpid(), 0); }},
         Need::nothing},
        {{"signal another", [] { return syscall(SYS_tgkill, getppid(), getppid(), 0); }},
         Need::never},
        {{"signal a process", [] { return kill(getppid(), 0); }}, Need::never},
        {{"own limits",
          []() -> long {
              rlimit limit{};
              return prlimit(0, RLIMIT_NOFILE, nullptr, &limit);
          }},
         Need::nothing},
        {{"another's limits",
          []() -> long {
              rlimit limit{};
              return prlimit(getppid(), RLIMIT_NOFILE, nullptr, &limit);
          }},
         Need::never},
        {{"name a thread",
          [] { return prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("name"), 0, 0, 0); }},
         Need::nothing},
        {{"ask for dumps", prctl_of(PR_GET_DUMPABLE, 0)}, Need::nothing},
        {{"allow dumps", prctl_of(PR_SET_DUMPABLE, 1)}, Need::never},
        {{"keep capabilities", prctl_of(PR_SET_KEEPCAPS, 0)}, Need::never},
        {{"execute",
          []() -> long {
              char* words[] = {nullptr};
              return execve("/no/such/program", words, words) < 0 && errno == EPERM ? -1 : 0;
          }},
         Need::never},
    };
}

class SeccompTest : public testing::Test {
protected:
    void SetUp() override {
        if (base::sanitized)
            GTEST_SKIP() << "there is no filter where a sanitizer's run-time makes calls of its "
                            "own";
    }
};

class SeccompFilter : public SeccompTest, public testing::WithParamInterface<int> {
protected:
    [[nodiscard]] static SeccompNeeds needs() {
        return {.writes_state = (GetParam() & 1) != 0, .removes_files = (GetParam() & 2) != 0};
    }
};

std::string try_calls(const std::vector<FilteredCall>& calls) {
    std::vector<Attempt> attempts;
    for (const auto& call : calls) attempts.push_back(call.attempt);
    return try_all(attempts);
}

TEST_P(SeccompFilter, AllowsWhatIsNeededAndNothingElseInEveryThread) {
    const TemporaryFolder folder;
    const int descriptor = open(folder.write("file", "text").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor, 0);
    const auto calls = filtered_calls(folder, descriptor);
    std::map<std::string, std::string> expected{{"clone3", "ENOSYS"}};
    for (const auto& [attempt, need] : calls)
        expected[attempt.name] = is_met(need, needs()) ? "works" : "EPERM";
    for (const bool later_thread : {false, true}) {
        const auto text = in_child([&]() -> std::string {
            if (filter_calls(needs()).has_error()) return "there is no filter";
            const auto all = [&] {
                return try_calls(calls) + "clone3\t" +
                       outcome_of([] { return syscall(SYS_clone3, nullptr, 0); }) + '\n';
            };
            std::string out;
            if (!later_thread) return all();
            std::thread([&] { out = all(); }).join();
            return out;
        });
        EXPECT_EQ(outcomes(text), expected) << (later_thread ? "in a thread" : "in the first");
    }
    close(descriptor);
}

INSTANTIATE_TEST_SUITE_P(Needs, SeccompFilter, testing::Range(0, 4), [](const auto& row) {
    std::string name;
    if ((row.param & 1) != 0) name += "State";
    if ((row.param & 2) != 0) name += "Sockets";
    return name.empty() ? std::string("Nothing") : name;
});

/// What could send a datagram elsewhere than to whom the socket is connected, and what can't.
std::vector<Attempt> datagram_attempts(const base::Descriptor& socket, sockaddr_un other) {
    const int number = socket.get();
    const auto message = [other](bool with_address) {
        static sockaddr_un to;
        static char text[] = "x";
        static iovec part{text, 1};
        to = other;
        msghdr out{};
        if (with_address) {
            out.msg_name = &to;
            out.msg_namelen = sizeof to;
        }
        out.msg_iov = &part;
        out.msg_iovlen = 1;
        return out;
    };
    const auto to_other = [number, other] {
        return sendto(number, "x", 1, MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&other),
                      sizeof other);
    };
    // The kernel ignores the upper half of a descriptor.
    const long high = (1L << 32) | number;
    return {
        {"send", [number] { return send(number, "x", 1, MSG_NOSIGNAL); }},
        {"write", [number] { return write(number, "x", 1); }},
        {"sendto", to_other},
        {"sendmsg",
         [=] {
             const auto out = message(true);
             return sendmsg(number, &out, MSG_NOSIGNAL);
         }},
        {"sendmsg without an address",
         [=] {
             const auto out = message(false);
             return sendmsg(number, &out, MSG_NOSIGNAL);
         }},
        {"sendmmsg",
         [=] {
             mmsghdr out{message(true), 0};
             return sendmmsg(number, &out, 1, MSG_NOSIGNAL);
         }},
        {"connect",
         [=] { return connect(number, reinterpret_cast<const sockaddr*>(&other), sizeof other); }},
        {"connect, high", [=] { return syscall(SYS_connect, high, &other, sizeof other); }},
        {"sendto, high",
         [=] { return syscall(SYS_sendto, high, "x", 1, MSG_NOSIGNAL, &other, sizeof other); }},
        {"dup", [number] { return dup(number); }},
        {"dup2", [number] { return dup2(number, 200); }},
        {"dup3", [number] { return dup3(number, 200, O_CLOEXEC); }},
        {"fcntl", [number] { return fcntl(number, F_DUPFD, 0); }},
        {"open",
         [number] { return open(("/proc/self/fd/" + std::to_string(number)).c_str(), O_RDONLY); }},
    };
}

TEST_F(SeccompTest, ADatagramGoesOnlyToWhomItsSocketIsConnected) {
    const DatagramReceiver systemd, journal, other;
    const auto first = base::connect_unix_datagram(systemd.name());
    const auto second = base::connect_unix_datagram(journal.name());
    const auto done = [&](const std::vector<int>& connected) {
        const auto text = in_child([&]() -> std::string {
            if (filter_calls({.connected = connected}).has_error()) return "there is no filter";
            std::string out;
            for (const auto* socket : {&first, &second})
                for (auto& attempt : datagram_attempts(*socket, other.address()))
                    out += attempt.name + (socket == &first ? " 1\t" : " 2\t") +
                           outcome_of(attempt.call) + '\n';
            return out + "IPv4 TCP\t" + outcome_of([] {
                       return base::Descriptor(socket(AF_INET, SOCK_STREAM, 0)).get();
                   }) +
                   "\nIPv4 dup\t" + outcome_of([] { return dup(socket(AF_INET, SOCK_STREAM, 0)); });
        });
        return outcomes(text);
    };
    const auto kept = done({first.get(), second.get()});
    EXPECT_EQ(kept.size(), 30U);
    for (const auto& [name, outcome] : kept) {
        const bool may =
            name.starts_with("send ") || name.starts_with("write") || name.starts_with("IPv4");
        const bool open = name.starts_with("open");
        EXPECT_EQ(outcome, may ? "works" : open ? "ENXIO" : "EPERM") << name;
    }
    EXPECT_EQ(systemd.received().size(), 2U);
    EXPECT_EQ(journal.received().size(), 2U);
    EXPECT_THAT(other.received(), IsEmpty());
    // A socket that is not named may do all that, as one that is connected by IP must.
    const auto one = done({first.get()});
    EXPECT_EQ(one.at("sendto 1"), "EPERM");
    for (const char* name : {"sendto 2", "sendmsg 2", "connect 2", "dup 2", "fcntl 2"})
        EXPECT_EQ(one.at(name), "works") << name;
    EXPECT_EQ(other.received().size(), 4U);
}

/// What may be called whatever the arguments. A call that is added here needs a reason: each is a
/// piece of the kernel that whoever has taken the process over may use.
const char* const usual_calls[] = {
    // To serve and to ask: sockets, events, timers.
    "accept", "accept4", "connect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd2", "getpeername", "getsockname", "getsockopt", "pipe2", "poll", "ppoll",
    "pselect6", "recvfrom", "select", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // To read files, and to write to those that are open.
    "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fstat",
    "fstatfs", "getcwd", "getdents64", "lseek", "lstat", "newfstatat", "pread64", "read",
    "readlink", "readlinkat", "readv", "stat", "statfs", "statx", "write", "writev",
    // Memory that is not executed.
    "brk", "madvise", "membarrier", "mlock", "mremap", "munlock", "munmap",
    // Threads, and waiting for the helper.
    "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
    "set_robust_list", "set_tid_address", "sigaltstack", "wait4", "waitid",
    // What tells the process about itself and the time.
    "arch_prctl", "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid",
    "getgid", "getgroups", "getpgrp", "getpid", "getppid", "getrandom", "getrlimit", "getrusage",
    "gettid", "gettimeofday", "getuid", "nanosleep", "sysinfo", "time", "times", "umask", "uname"};

constexpr long most_calls = 1024;  // more numbers than any kernel has

/// The numbers of those that this processor and this libseccomp know.
std::set<long> numbers_of(const char* const* begin, const char* const* end) {
    std::set<long> out;
    for (const char* const* name = begin; name != end; ++name) {
        const int number = seccomp_syscall_resolve_name(*name);
        if (number >= 0) out.insert(number);
    }
    return out;
}

std::string name_of(long number) {
    char* text = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
    std::string out = text != nullptr ? text : "number " + std::to_string(number);
    free(text);
    return out;
}

TEST_F(SeccompTest, OfEverythingThatTheKernelOffersOnlyTheUsualCallsGetThere) {
    const auto usual = numbers_of(std::begin(usual_calls), std::end(usual_calls));
    ASSERT_GT(usual.size(), 80U);
    // With these the child would not go on; that they are allowed is shown by its end, by its
    // threads' and by every signal handler.
    const char* const last_calls[] = {"exit", "exit_group", "rt_sigreturn"};
    auto last = numbers_of(std::begin(last_calls), std::end(last_calls));
#ifdef __x86_64__
    // uretprobe and uprobe: no filter sees them, and elsewhere than in a probe they are SIGILL.
    last.insert({335, 336});
#endif
    const std::string text = in_child([&]() -> std::string {
        setsid();   // no terminal of ours is hung up
        alarm(60);  // a call that waits for ever where it must fail ends the child
        if (filter_calls({}).has_error() || own_status("Seccomp") != "2")
            return "there is no filter\n";
        std::string out;
        for (long number = 0; number < most_calls; ++number) {
            if (last.contains(number)) continue;
            errno = 0;
            const long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
            const bool refused = result == -1 && errno == EPERM;
            // With these flags clone makes a thread; the C library is told that there is no clone3.
            const bool passes =
                usual.contains(number) || number == SYS_clone || number == SYS_clone3;
            if (refused == passes)
                out += name_of(number) + (refused ? " is refused\n" : " is allowed\n");
        }
        return out;
    });
    EXPECT_THAT(text, IsEmpty());
}

#ifdef __x86_64__
/// A call by the numbers of 32 bits.
long call_of_32_bits(long number, long argument) {
    long result = number;
    asm volatile("int $0x80" : "+a"(result) : "b"(argument) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

constexpr long getpid_of_32_bits = 20;
constexpr long bpf_of_32_bits = 357;

bool has_32_bits() {
    return run_in_child([] {
               return std::to_string(call_of_32_bits(getpid_of_32_bits, 0) == getpid());
           }).text == "1";
}

TEST_F(SeccompTest, TheOtherInstructionSetIsNoWayAround) {
    if (!has_32_bits()) GTEST_SKIP() << "this kernel runs no programs of 32 bits";
    const auto program = run_in_child([]() -> std::string {
        if (filter_calls({}).has_error()) return "there is no filter";
        return std::to_string(call_of_32_bits(getpid_of_32_bits, 0));
    });
    EXPECT_TRUE(WIFSIGNALED(program.status) && WTERMSIG(program.status) == SIGSYS)
        << program.status << ' ' << program.text;
    const auto helper = in_child([]() -> std::string {
        if (filter_calls_of_helper().has_error()) return "there is no filter";
        const bool runs = call_of_32_bits(getpid_of_32_bits, 0) == getpid();
        return (runs ? "runs, bpf " : "fails, bpf ") +
               std::to_string(-call_of_32_bits(bpf_of_32_bits, -1));
    });
    EXPECT_EQ(helper, "runs, bpf " + std::to_string(EPERM));
}
#endif

/// What a command of an administrator has nothing to do with.
const char* const denied_calls[] = {
    // To look into processes, and to change them.
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    // To change the system.
    "_sysctl", "acct", "add_key", "adjtimex", "chroot", "clock_adjtime", "clock_settime",
    "create_module", "delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "mount",
    "mount_setattr", "move_mount", "nfsservctl", "open_by_handle_at", "open_tree", "pivot_root",
    "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",
    "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "vhangup",
    // Where the kernel is broken most often.
    "bpf", "fanotify_init", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "lookup_dcookie", "perf_event_open", "userfaultfd", "vmsplice"};

TEST_F(SeccompTest, TheHelperCallsNothingThatChangesTheSystem) {
    const auto denied = numbers_of(std::begin(denied_calls), std::end(denied_calls));
    ASSERT_GT(denied.size(), 40U);
    const std::string text = in_child([&]() -> std::string {
        setsid();
        alarm(60);
        if (filter_calls_of_helper().has_error() || own_status("Seccomp") != "2")
            return "there is no filter\n";
        std::string out;
        for (const long number : denied) {
            errno = 0;
            if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != EPERM)
                out += name_of(number) + " is allowed\n";
        }
        return out;
    });
    EXPECT_THAT(text, IsEmpty());
}

TEST_F(SeccompTest, TheHelpersCommandDoesWhatCommandsDo) {
    const TemporaryFolder folder;
    const std::string text = in_child([&]() -> std::string {
        if (filter_calls_of_helper().has_error()) return "there is no filter";
        const std::string command =
            "cd " + folder.path().string() +
            " && (echo made; echo again) | sort >a && mv a b && chmod 600 b && mkdir c && cat b";
        FILE* pipe = popen(command.c_str(), "r");
        std::string out;
        char part[100];
        while (pipe != nullptr && std::fgets(part, sizeof part, pipe) != nullptr) out += part;
        const bool ended = pipe != nullptr && pclose(pipe) == 0;
        return out + (ended ? "well" : "badly") + ' ' +
               outcome_of([]() -> long { return socket(AF_UNIX, SOCK_STREAM, 0); }) + ' ' +
               outcome_of([]() -> long { return kill(getpid(), 0); });
    });
    EXPECT_EQ(text, "again\nmade\nwell works works");
}

}  // namespace
}  // namespace sftdyn::platform
