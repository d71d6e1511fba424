#include "cli/confine.hpp"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/log.hpp"

namespace sftdyn::cli {
namespace {

namespace log = base::log;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // its run-time looks into the process by ptrace(2)
#else
constexpr bool sanitized = false;
#endif

base::Result<void> become(const std::string& user) {
    const auto failed = [&](const char* what) {
        return base::Error{fmt::format("can't become the user {}: {}: {}", user, what, std::strerror(errno)), "",
                           "start it as root, or leave out [process] user"};
    };
    if (geteuid() != 0) {
        const passwd* self = getpwuid(geteuid());
        if (self != nullptr && user == self->pw_name) return {};
        return base::Error{fmt::format("can't become the user {}: only root can", user), "", "start it as root, or leave out [process] user"};
    }
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) return failed("getpwnam");
    const uid_t uid = entry->pw_uid;
    const gid_t gid = entry->pw_gid;
    if (initgroups(user.c_str(), gid) != 0) return failed("initgroups");
    if (setresgid(gid, gid, gid) != 0) return failed("setresgid");
    if (setresuid(uid, uid, uid) != 0) return failed("setresuid");
    return {};
}

void drop_capabilities() {
    capng_get_caps_process();
    const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    // Root that stays root could not even read BIND's key without this one.
    if (geteuid() == 0)
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET), CAP_DAC_READ_SEARCH);
    // Without CAP_SETPCAP the bounding set stays as it is; no_new_privs makes it meaningless.
    if (capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) != 0) log::warn("capabilities could not be dropped: {}", std::strerror(errno));
}

void forbid_core_dumps() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) log::warn("core dumps could not be forbidden: {}", std::strerror(errno));
    if (!sanitized && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) log::warn("core dumps could not be forbidden: {}", std::strerror(errno));
}

// Landlock (Linux 5.13).
constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t every_access = reading | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                       LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/// The folder above `path` that is highest, below the root: what is made or moved there later is found then.
fs::path top_folder(const fs::path& path) {
    std::error_code error;  // without a working folder a relative path has no place, and no rule
    auto folder = fs::absolute(path, error).lexically_normal();
    while (folder.has_relative_path() && folder.parent_path().has_relative_path()) folder = folder.parent_path();
    return folder;
}

bool allow(int ruleset, const fs::path& path, std::uint64_t access) {
    const int descriptor = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (descriptor < 0) return errno == ENOENT || errno == EACCES;  // what is not there needs no rule
    landlock_path_beneath_attr rule{};
    rule.allowed_access = access;
    rule.parent_fd = descriptor;
    const bool added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(descriptor);
    return added;
}

void landlock(const Confinement& wanted) {
    const auto impossible = [](const char* what) { log::warn("no Landlock: {}: {} ([process] landlock)", what, std::strerror(errno)); };
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = every_access;
    const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
    if (ruleset < 0) return impossible("the kernel does not offer it");
    // Where a system keeps what a service reads; what is below other folders must be named in the configuration.
    std::set<fs::path> readable{"/etc", "/run", "/var", "/srv", "/opt", "/usr", "/lib", "/lib64", "/proc", "/dev"};
    for (const auto& file : wanted.files) {
        readable.insert(top_folder(file));
        std::error_code error;  // a link that leads nowhere is looked for again when it is read
        const auto target = fs::canonical(file, error);
        if (!error) readable.insert(top_folder(target));
    }
    bool good = true;
    for (const auto& folder : readable) good = allow(ruleset, folder, reading) && good;
    for (const auto& folder : wanted.writable)
        good = allow(ruleset, folder, reading | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE) && good;
    for (const auto& socket : wanted.sockets) good = allow(ruleset, fs::path(socket).parent_path(), reading | LANDLOCK_ACCESS_FS_REMOVE_FILE) && good;
    good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    if (!good) impossible("its rules could not be set");
    close(ruleset);
}

// seccomp: what the program, the C library, Asio, OpenSSL and spdlog call. Anything else fails with EPERM.
constexpr const char* allowed_calls[] = {
    // Sockets and events.
    "accept", "accept4", "bind", "connect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "getpeername",
    "getsockname", "getsockopt", "listen", "pipe2", "poll", "ppoll", "pselect6", "recvfrom", "recvmmsg", "recvmsg", "select", "sendmmsg", "sendmsg",
    "sendto", "setsockopt", "shutdown", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // Files.
    "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fcntl", "fstat", "fstatfs", "getcwd", "getdents64", "lseek",
    "lstat", "newfstatat", "open", "openat", "pread64", "pwrite64", "read", "readlink", "readlinkat", "readv", "rmdir", "stat", "statfs", "statx",
    "unlink", "unlinkat", "write", "writev",
    // SQLite.
    "fchmod", "fchown", "fdatasync", "fsync", "ftruncate", "mkdir",
    // Memory.
    "brk", "madvise", "membarrier", "mlock", "mmap", "mprotect", "mremap", "munlock", "munmap",
    // Threads, signals, the end.
    "exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "kill", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
    "set_robust_list", "set_tid_address", "sigaltstack", "tgkill", "wait4", "waitid",
    // Time and the process itself.
    "arch_prctl", "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid", "getgid", "getgroups", "getpgrp", "getpid", "getppid",
    "getrandom", "getrlimit", "getrusage", "gettid", "gettimeofday", "getuid", "nanosleep", "prctl", "prlimit64", "sysinfo", "time", "times", "umask",
    "uname"};

int add_rules(scmp_filter_ctx filter) {
    const auto number = [](const char* name) { return seccomp_syscall_resolve_name(name); };
    for (const char* name : allowed_calls) {
        // Some are unknown to some processors.
        if (number(name) == __NR_SCMP_ERROR || number(name) < 0) continue;
        if (const int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number(name), 0); error != 0) return error;
    }
    for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
        for (const char* name : {"socket", "socketpair"}) {
            const scmp_arg_cmp is_family{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0};
            if (const int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number(name), 1, &is_family); error != 0) return error;
        }
    }
    for (const unsigned long request :
         {static_cast<unsigned long>(FIONBIO), static_cast<unsigned long>(FIONREAD), static_cast<unsigned long>(TCGETS)}) {
        const scmp_arg_cmp is_request{1, SCMP_CMP_EQ, request, 0};
        if (const int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number("ioctl"), 1, &is_request); error != 0) return error;
    }
    // Threads, but no processes: without clone3, whose flags a filter can't see, the C library takes clone.
    const scmp_arg_cmp is_thread{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD};
    if (const int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number("clone"), 1, &is_thread); error != 0) return error;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number("clone3"), 0);
}

void filter_calls() {
    if (sanitized) return;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter == nullptr ? -ENOMEM : add_rules(filter);
    if (error == 0) error = seccomp_load(filter);
    if (filter != nullptr) seccomp_release(filter);
    if (error != 0) log::warn("no seccomp filter: {} ([process] seccomp)", std::strerror(-error));
}

}  // namespace

base::Result<void> give_up_privileges(const std::optional<std::string>& user) {
    if (user) {
        if (auto became = become(*user); became.has_error()) return became;
    }
    drop_capabilities();
    forbid_core_dumps();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) log::warn("no_new_privs could not be set: {}", std::strerror(errno));
    return {};
}

base::Result<void> confine(const Confinement& wanted) {
    if (auto given_up = give_up_privileges(wanted.user); given_up.has_error()) return given_up;
    if (wanted.landlock) landlock(wanted);
    if (wanted.seccomp) filter_calls();
    return {};
}

}  // namespace sftdyn::cli
