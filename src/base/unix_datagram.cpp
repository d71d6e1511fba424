// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/unix_datagram.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>

namespace sftdyn::base {

Descriptor connect_unix_datagram(std::string_view name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() < 2 || (name.front() != '/' && name.front() != '@')) {
        errno = EAFNOSUPPORT;
        return Descriptor();
    }
    if (name.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return Descriptor();
    }
    name.copy(address.sun_path, name.size());
    // A path ends with a NUL, an abstract name where the address ends.
    std::size_t size = offsetof(sockaddr_un, sun_path) + name.size();
    if (name.front() == '@')
        address.sun_path[0] = '\0';
    else
        ++size;
    Descriptor out(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!out || connect(out.get(), reinterpret_cast<const sockaddr*>(&address),
                        static_cast<socklen_t>(size)) != 0)
        return Descriptor();
    return out;
}

bool send_datagram(const Descriptor& socket, std::string_view octets) {
    for (;;) {
        if (send(socket.get(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (errno != EINTR) return false;
    }
}

}  // namespace sftdyn::base
