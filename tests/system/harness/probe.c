// SPDX-License-Identifier: GPL-3.0-or-later
/* Loaded into the program by LD_PRELOAD: whichever thread gets the signal tries what it must not be able to do, and says on
 * standard error what came of it: "probe THREAD NAME", and "done" or the error's number. PLACE, STATE, SECRET, SOCKET, VICTIM and
 * DATAGRAMS, if it is there, come from the environment as the library is loaded. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char victim_file[512], new_file[512], other_file[512], state_file[512], state_folder[512], secret[512], socket_path[100], datagram_path[100];
static pid_t victim;
static int gentle; /* nothing that would end a program that may do it */
static int open_victim = -1; /* as a file that was opened for reading */

static void say(const char *name, long result) {
    char line[200];
    const int size = snprintf(line, sizeof line, "probe %ld %s %s%d\n", (long)syscall(SYS_gettid), name, result < 0 ? "" : "done ", result < 0 ? errno : 0);
    (void)!write(2, line, size);
}

#define TRY(name, call) do { errno = 0; const long result = (long)(call); say(name, result); } while (0)

static void files(void) {
    TRY("make", syscall(SYS_openat, AT_FDCWD, new_file, O_WRONLY | O_CREAT, 0600));
    TRY("write", syscall(SYS_openat, AT_FDCWD, victim_file, O_WRONLY));
    TRY("append", syscall(SYS_openat, AT_FDCWD, victim_file, O_RDWR | O_APPEND));
    TRY("empty", syscall(SYS_openat, AT_FDCWD, victim_file, O_RDONLY | O_TRUNC));
    TRY("temporary", syscall(SYS_openat, AT_FDCWD, "/var/tmp", O_RDWR | O_TMPFILE, 0600));
    TRY("truncate", truncate(victim_file, 0));
    TRY("chmod", syscall(SYS_fchmodat, AT_FDCWD, victim_file, 04777));
    TRY("fchmod", fchmod(open_victim, 04777));
    TRY("fchown", fchown(open_victim, 1, 1));
    TRY("rename", syscall(SYS_renameat2, AT_FDCWD, victim_file, AT_FDCWD, other_file, 0));
    TRY("link", syscall(SYS_linkat, AT_FDCWD, victim_file, AT_FDCWD, other_file, 0));
    TRY("symlink", symlink(victim_file, other_file));
    TRY("mkdir", mkdir(other_file, 0777));
    TRY("mknod", mknod(other_file, S_IFIFO | 0600, 0));
    TRY("unlink", unlink(victim_file));
    TRY("read-secret", syscall(SYS_openat, AT_FDCWD, secret, O_RDONLY));
    TRY("read-disk", syscall(SYS_openat, AT_FDCWD, "/dev/kmsg", O_RDONLY));
    TRY("state-mkdir", mkdir(state_folder, 04777));
    TRY("state-set-id", syscall(SYS_openat, AT_FDCWD, state_file, O_RDWR | O_CREAT, 04755));
    const int made = (int)syscall(SYS_openat, AT_FDCWD, state_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    say("state-make", made);
    TRY("state-code", mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, made, 0));
    if (made >= 0) close(made);
    TRY("state-unlink", unlink(state_file));
}

static void others(void) {
    TRY("ptrace", ptrace(PTRACE_ATTACH, victim, 0, 0));
    TRY("seize", ptrace(PTRACE_SEIZE, victim, 0, 0));
    char octets[8];
    struct { void *base; size_t size; } here = {octets, sizeof octets}, there = {(void *)0x400000, sizeof octets};
    TRY("read-memory", syscall(SYS_process_vm_readv, victim, &here, 1, &there, 1, 0));
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)victim);
    TRY("open-memory", open(path, O_RDWR));
    TRY("setuid", syscall(SYS_setuid, 1));
}

static void processes(void) {
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    say("fork", child);
    char *words[] = {"true", 0};
    TRY("execute", execve("/bin/true", words, words + 1));
    TRY("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", words, words + 1, 0));
    TRY("kill", kill(victim, SIGTERM));
    TRY("kill-all", kill(-1, 0));
    TRY("tkill", syscall(SYS_tkill, victim, SIGTERM));
    TRY("tgkill", syscall(SYS_tgkill, victim, victim, SIGTERM));
    TRY("sigqueue", syscall(SYS_rt_sigqueueinfo, victim, SIGTERM, &(siginfo_t){.si_code = -1}));
    TRY("pidfd", syscall(SYS_pidfd_open, victim, 0));
    int ends[2] = {-1, -1};
    (void)!pipe2(ends, O_CLOEXEC);
    TRY("setown", fcntl(ends[0], F_SETOWN, victim));
    TRY("setsig", fcntl(ends[0], F_SETSIG, SIGKILL));
    close(ends[0]);
    close(ends[1]);
    TRY("limit-other", prlimit(victim, RLIMIT_NOFILE, &(struct rlimit){1, 1}, 0));
    TRY("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static void sockets(void) {
    TRY("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    TRY("raw", socket(AF_INET, SOCK_RAW, 1));
    TRY("packet", socket(AF_PACKET, SOCK_RAW, 0));
    TRY("vsock", socket(40, SOCK_STREAM, 0));
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, socket_path);
    const int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    say("unix-connect", stream < 0 ? -1 : connect(stream, (struct sockaddr *)&to, sizeof to));
    const int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
    say("unix-datagram", datagram);
    int pair[2];
    TRY("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    struct msghdr empty = {0};
    TRY("take-descriptor", recvmsg(-1, &empty, 0)); /* by which sockets could be handed in */
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    TRY("bind", listener < 0 ? -1 : bind(listener, (struct sockaddr *)&any, sizeof any));
    TRY("listen", listener < 0 ? -1 : listen(listener, 1));
    if (stream >= 0) close(stream);
    if (datagram >= 0) close(datagram);
    if (listener >= 0) close(listener);
}

/* To another by the sockets that lead to systemd. Their number is all that tells them from others. */
static void systemd_sockets(void) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, datagram_path);
    for (int number = 3; number < 64; ++number) {
        int domain = 0, type = 0;
        socklen_t size = sizeof domain;
        if (getsockopt(number, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) continue;
        size = sizeof type;
        if (getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM) continue;
        char octet[] = "x";
        struct iovec part = {octet, 1};
        struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
        TRY("systemd-tell", send(number, "STATUS=probe", 12, MSG_NOSIGNAL));
        TRY("systemd-sendto", sendto(number, octet, 1, 0, (struct sockaddr *)&to, sizeof to));
        TRY("systemd-sendmsg", sendmsg(number, &message, 0));
        TRY("systemd-connect", connect(number, (struct sockaddr *)&to, sizeof to));
        TRY("systemd-high", syscall(SYS_connect, (1L << 32) | number, &to, sizeof to));
        TRY("systemd-dup", dup(number));
        TRY("systemd-dupfd", fcntl(number, F_DUPFD, 100));
    }
}

static void memory(void) {
    TRY("map-code", mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open_victim, 0));
    TRY("memfd", syscall(SYS_memfd_create, "x", 0));
    TRY("write-and-execute", mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    void *written = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY("make-executable", mprotect(written, 4096, PROT_READ | PROT_EXEC));
    TRY("personality", syscall(SYS_personality, 0xffffffffUL));
}

static void kernel(void) {
    const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};
    TRY("interface", ioctl(udp, SIOCSIFFLAGS, &request));
    close(udp);
    TRY("io_uring", syscall(SYS_io_uring_setup, 1, 0));
    TRY("bpf", syscall(SYS_bpf, 0, 0, 0));
    TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
    TRY("keyctl", syscall(SYS_keyctl, 0, 0, 0));
    TRY("unshare", syscall(SYS_unshare, CLONE_NEWUSER));
    TRY("mount", syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, 0));
    TRY("perf", syscall(SYS_perf_event_open, 0, 0, 0, 0, 0));
}

static void probe(int number) {
    (void)number;
    const int error = errno;
    char name[16] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    others();
    kernel();
    if (!gentle && strcmp(name, "sftdyn-events") != 0) { /* which runs the administrator's command, and does the rest for it */
        open_victim = open(victim_file, O_RDONLY | O_CLOEXEC);
        files();
        processes();
        sockets();
        systemd_sockets();
        memory();
        close(open_victim);
    }
    say("end", 0);
    errno = error;
}

__attribute__((constructor)) static void load(void) {
    const char *place = getenv("PLACE");
    if (!place) return;
    snprintf(victim_file, sizeof victim_file, "%s/victim", place);
    snprintf(new_file, sizeof new_file, "%s/new", place);
    snprintf(other_file, sizeof other_file, "%s/other", place);
    snprintf(state_file, sizeof state_file, "%s/probe", getenv("STATE"));
    snprintf(state_folder, sizeof state_folder, "%s/folder", getenv("STATE"));
    snprintf(secret, sizeof secret, "%s", getenv("SECRET"));
    snprintf(socket_path, sizeof socket_path, "%s", getenv("SOCKET"));
    if (getenv("DATAGRAMS")) snprintf(datagram_path, sizeof datagram_path, "%s", getenv("DATAGRAMS"));
    victim = atoi(getenv("VICTIM"));
    gentle = getenv("GENTLE") != NULL;
    struct sigaction action = {.sa_handler = probe, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN + 5, &action, 0);
}
