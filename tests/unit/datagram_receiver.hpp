// SPDX-License-Identifier: GPL-3.0-or-later
// A Unix datagram socket that a test reads: it is systemd, or the journal.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include "base/descriptor.hpp"
#include "temporary_folder.hpp"

namespace sftdyn {

/// By default bound to a path in a folder of its own; "@NAME" is an abstract name.
class DatagramReceiver {
public:
    explicit DatagramReceiver(std::string name = {})
        : name_(name.empty() ? folder_ / "socket" : std::move(name)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name_.copy(address.sun_path, sizeof address.sun_path - 1);
        if (name_[0] == '@') address.sun_path[0] = '\0';
        const std::size_t size = offsetof(sockaddr_un, sun_path) + name_.size();
        if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(size)) != 0)
            throw std::system_error(errno, std::generic_category(), name_);
    }

    [[nodiscard]] const std::string& name() const { return name_; }
    /// What has come since the last time.
    [[nodiscard]] std::vector<std::string> received() const {
        std::vector<std::string> out;
        char part[4096];
        for (;;) {
            const ssize_t size = recv(socket_.get(), part, sizeof part, MSG_DONTWAIT);
            if (size < 0) return out;
            out.emplace_back(part, static_cast<std::size_t>(size));
        }
    }
    void close() { socket_.reset(); }
    [[nodiscard]] sockaddr_un address() const {
        sockaddr_un out{};
        socklen_t size = sizeof out;
        if (getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&out), &size) != 0)
            throw std::system_error(errno, std::generic_category());
        return out;
    }

private:
    const TemporaryFolder folder_{};
    const std::string name_;
    base::Descriptor socket_{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

/// connect(2) of `socket` to a receiver with a path.
inline int connect_to(const base::Descriptor& socket, const DatagramReceiver& receiver) {
    const sockaddr_un address = receiver.address();
    return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace sftdyn
