// SPDX-License-Identifier: GPL-3.0-or-later
// Which process of this machine has a port.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>
#include <boost/asio/ip/tcp.hpp>

namespace sftdyn::platform {

/// A process that listens on a port.
struct PortOwner {
    pid_t process{};
    std::string program{};  ///< its name, cut after 15 octets (proc(5), comm)
};

/// The process that keeps others from listening at `endpoint`; of several that share its socket the
/// one named `preferred`. Nothing where nobody listens, and where this user may not see into the
/// process: root may into all.
[[nodiscard]] std::optional<PortOwner> owner_of(const boost::asio::ip::tcp::endpoint& endpoint,
                                                const std::string& preferred);

}  // namespace sftdyn::platform
