// SPDX-License-Identifier: GPL-3.0-or-later
// A process that gets no more threads, as where a limit of the service is reached. For a child: it
// can't be taken back. A sanitizer's run-time does not bear it.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>

namespace sftdyn {

/// New threads are refused with EAGAIN (pthread_create(3)); new processes are not.
inline void refuse_threads() {
    const auto load = [](std::size_t at) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(at));
    };
    const auto answer = [](unsigned what) { return sock_filter BPF_STMT(BPF_RET | BPF_K, what); };
    const auto unless = [](unsigned value, unsigned char skipped) {
        return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
    };
    // clone3(2) has its flags where a filter can't see them: without it glibc takes clone(2).
    std::array filter{load(offsetof(seccomp_data, nr)),
                      unless(SYS_clone3, 1),
                      answer(SECCOMP_RET_ERRNO | ENOSYS),
                      unless(SYS_clone, 3),
                      load(offsetof(seccomp_data, args[0])),
                      sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
                      answer(SECCOMP_RET_ERRNO | EAGAIN),
                      answer(SECCOMP_RET_ALLOW)};
    const sock_fprog program{filter.size(), filter.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        throw std::system_error(errno, std::generic_category());
}

}  // namespace sftdyn
