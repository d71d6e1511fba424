// SPDX-License-Identifier: GPL-3.0-or-later
// Every socket that the program's own code opens or accepts is closed on exec(2): what a hook of a
// Python conf starts must keep no connection open and no port. Asio has no option for it, so the
// linker leads its calls here (--wrap in ld(1); src/base/CMakeLists.txt).
#include <sys/socket.h>

extern "C" {

// The linker's names.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
int __real_socket(int domain, int type, int protocol);

int __wrap_socket(int domain, int type, int protocol) {
    return __real_socket(domain, type | SOCK_CLOEXEC, protocol);
}

int __wrap_accept(int socket, sockaddr* address, socklen_t* size) {
    return accept4(socket, address, size, SOCK_CLOEXEC);
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

}  // extern "C"
