// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/seccomp.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

#include "base/sanitized.hpp"
#include "base/system_error.hpp"

namespace sftdyn::platform {
namespace {

constexpr std::uint64_t socket_type_mask = 0xf;  // the rest are flags: SOCK_CLOEXEC, SOCK_NONBLOCK
constexpr std::uint64_t descriptor_mask = 0xffffffff;  // the kernel ignores the rest
constexpr std::uint64_t temporary_file = 020000000;    // O_TMPFILE without O_DIRECTORY

// Calls of the program, the C library, Asio, OpenSSL and spdlog, allowed with any arguments.
constexpr const char* allowed_calls[] = {
    // Sockets and events. The listening sockets exist already.
    "accept", "accept4", "connect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd2", "getpeername", "getsockname", "getsockopt", "pipe2", "poll", "ppoll",
    "pselect6", "recvfrom", "select", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // Files.
    "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fstat",
    "fstatfs", "getcwd", "getdents64", "lseek", "lstat", "newfstatat", "pread64", "read",
    "readlink", "readlinkat", "readv", "stat", "statfs", "statx", "write", "writev",
    // Memory.
    "brk", "madvise", "membarrier", "mlock", "mremap", "munlock", "munmap",
    // Threads, signals, exit.
    "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
    "set_robust_list", "set_tid_address", "sigaltstack", "wait4", "waitid",
    // Time and the process itself.
    "arch_prctl", "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid",
    "getgid", "getgroups", "getpgrp", "getpid", "getppid", "getrandom", "getrlimit", "getrusage",
    "gettid", "gettimeofday", "getuid", "nanosleep", "sysinfo", "time", "times", "umask", "uname"};

// Calls that neither the helper nor an administrator's command needs.
constexpr const char* denied_to_helper[] = {
    // Other processes.
    "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    // The system: mounts, namespaces, modules, clock, swap, keys.
    "_sysctl", "acct", "add_key", "adjtimex", "chroot", "clock_adjtime", "clock_settime",
    "create_module", "delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "mount",
    "mount_setattr", "move_mount", "nfsservctl", "open_by_handle_at", "open_tree", "pivot_root",
    "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",
    "settimeofday", "stime", "swapoff", "swapon", "syslog", "umount", "umount2", "unshare",
    "vhangup",
    // Parts of the kernel that are rarely used and often vulnerable.
    "bpf", "fanotify_init", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "lookup_dcookie", "perf_event_open", "userfaultfd", "vmsplice"};

/// A filter under construction. After the first error, which is kept, nothing more is added.
class Filter {
public:
    explicit Filter(std::uint32_t otherwise)
        : filter_(seccomp_init(otherwise)), error_(filter_ == nullptr ? -ENOMEM : 0) {}
    ~Filter() {
        if (filter_ != nullptr) seccomp_release(filter_);
    }
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;

    void add(std::uint32_t action, const char* call,
             std::initializer_list<scmp_arg_cmp> arguments = {}) {
        const int number = seccomp_syscall_resolve_name(call);
        // Some calls do not exist on some architectures.
        if (number == __NR_SCMP_ERROR || (number < 0 && action == SCMP_ACT_ALLOW) || error_ != 0)
            return;
        error_ = seccomp_rule_add_array(filter_, action, number,
                                        static_cast<unsigned>(arguments.size()), arguments.begin());
    }
    void allow(const char* call, std::initializer_list<scmp_arg_cmp> arguments = {}) {
        add(SCMP_ACT_ALLOW, call, arguments);
    }

    /// Adds another architecture that the processor supports: a command may be a 32-bit program.
    void also(std::uint32_t architecture) {
        if (error_ == 0) error_ = seccomp_arch_add(filter_, architecture);
        if (error_ == -EEXIST) error_ = 0;
    }

    [[nodiscard]] base::Result<void> load() {
        if (error_ == 0) error_ = seccomp_load(filter_);
        if (error_ == 0) return {};
        return base::Error{base::system_error_text(-error_), "",
                           "[process] seccomp = false silences it"};
    }

private:
    scmp_filter_ctx filter_;
    int error_;
};

scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// Allows IP sockets only. A filter can't see the peer of a Unix socket, so none may be opened.
void allow_sockets(Filter& filter) {
    for (const int family : {AF_INET, AF_INET6}) {
        for (const int type : {SOCK_STREAM, SOCK_DGRAM})
            filter.allow("socket", {is(0, static_cast<unsigned>(family)),
                                    masked(1, socket_type_mask, static_cast<unsigned>(type))});
    }
}

/// Makes each of `sockets` keep its peer. A filter knows a socket only by its number: the socket
/// can't be reconnected, can't send to another address, and can't be duplicated to another number.
base::Result<void> keep_connected(const std::vector<int>& sockets) {
    Filter filter(SCMP_ACT_ALLOW);
    for (const int socket : sockets) {
        const auto it = masked(0, descriptor_mask, static_cast<unsigned>(socket));
        for (const char* call : {"connect", "dup", "dup2", "dup3", "fcntl", "sendmmsg", "sendmsg"})
            filter.add(SCMP_ACT_ERRNO(EPERM), call, {it});
        filter.add(SCMP_ACT_ERRNO(EPERM), "sendto", {it, {4, SCMP_CMP_NE, 0, 0}});
    }
    return filter.load();
}

/// Opening a file never truncates it (O_TRUNC). Files are only read, unless there is a state
/// folder; then none is created with a set-ID or sticky bit.
void allow_files(Filter& filter, const SeccompNeeds& needs) {
    struct Open {
        const char* call;
        unsigned flags, mode;
    };
    for (const auto& [call, flags, mode] : {Open{"open", 1, 2}, Open{"openat", 2, 3}}) {
        filter.allow(call,
                     {masked(flags, O_ACCMODE | O_CREAT | O_TRUNC | temporary_file, O_RDONLY)});
        if (!needs.writes_state) continue;
        filter.allow(call, {masked(flags, O_CREAT | O_TRUNC | temporary_file, 0)});
        filter.allow(call, {masked(flags, O_TRUNC | temporary_file, 0),
                            masked(mode, S_ISUID | S_ISGID | S_ISVTX, 0)});
    }
    if (needs.writes_state) {
        // The database exists by then with its mode, so no call to change a mode or an owner is
        // needed.
        for (const char* call : {"fdatasync", "fsync", "ftruncate", "pwrite64"}) filter.allow(call);
    }
    if (needs.writes_state || needs.removes_files) {
        for (const char* call : {"unlink", "unlinkat"}) filter.allow(call);
    }
    // Locks and flags; not F_SETOWN and F_SETSIG, which could send a signal to any process.
    for (const int command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK,
                              F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK})
        filter.allow("fcntl", {is(1, static_cast<unsigned>(command))});
    for (const std::uint64_t request :
         {std::uint64_t(FIONBIO), std::uint64_t(FIONREAD), std::uint64_t(TCGETS)})
        filter.allow("ioctl", {is(1, request)});
}

/// All code is loaded: no memory becomes executable, whether a file backs it or not. Libraries must
/// be loaded before.
void allow_memory(Filter& filter) {
    filter.allow("mmap", {masked(2, PROT_EXEC, 0)});
    filter.allow("mprotect", {masked(2, PROT_EXEC, 0)});
}

void allow_threads(Filter& filter) {
    // Threads, but no processes. A filter can't see the flags of clone3; without that call, the C
    // library uses clone.
    filter.allow("clone", {masked(0, CLONE_THREAD, CLONE_THREAD)});
    filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
    // Signals to this process only, for abort(3).
    filter.allow("tgkill", {is(0, static_cast<std::uint64_t>(getpid()))});
    filter.allow("prlimit64", {is(0, 0)});
    for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS,
                             PR_GET_SECCOMP, PR_CAPBSET_READ, PR_SET_VMA})
        filter.allow("prctl", {is(0, static_cast<unsigned>(option))});
}

}  // namespace

base::Result<void> filter_calls(const SeccompNeeds& needs) {
    if (base::sanitized) return {};
    // Loaded first, since the main filter allows no further one. The stricter of the two applies.
    if (!needs.connected.empty()) {
        if (auto kept = keep_connected(needs.connected); kept.has_error()) return kept;
    }
    Filter filter(SCMP_ACT_ERRNO(EPERM));
    for (const char* call : allowed_calls) filter.allow(call);
    allow_sockets(filter);
    allow_files(filter, needs);
    allow_memory(filter);
    allow_threads(filter);
    return filter.load();
}

base::Result<void> filter_calls_of_helper() {
    if (base::sanitized) return {};
    Filter filter(SCMP_ACT_ALLOW);
#if defined(__x86_64__)
    filter.also(SCMP_ARCH_X86);
    filter.also(SCMP_ARCH_X32);
#elif defined(__aarch64__)
    filter.also(SCMP_ARCH_ARM);
#endif
    for (const char* call : denied_to_helper) filter.add(SCMP_ACT_ERRNO(EPERM), call);
    return filter.load();
}

}  // namespace sftdyn::platform
