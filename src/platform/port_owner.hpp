// SPDX-License-Identifier: GPL-3.0-or-later
// Finds the process that listens on a port.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>
#include <boost/asio/ip/tcp.hpp>

namespace sftdyn::platform {

/// A process that listens on a port.
struct PortOwner {
    pid_t process{};
    std::string program{};  ///< name, truncated to 15 octets (comm in proc(5))
};

/// The process that occupies `endpoint`; of several that share the socket, the one named
/// `preferred`. `nullopt` when no process listens there, or when this user may not inspect it. Root
/// may inspect every process.
[[nodiscard]] std::optional<PortOwner> owner_of(const boost::asio::ip::tcp::endpoint& endpoint,
                                                const std::string& preferred);

}  // namespace sftdyn::platform
