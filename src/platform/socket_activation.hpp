// SPDX-License-Identifier: GPL-3.0-or-later
// Sockets that systemd has opened for the program (sd_listen_fds(3)).
#pragma once

#include <string>
#include <vector>

namespace sftdyn::platform {

/// A listening socket that systemd passed, and the name that its unit gives it (systemd.socket(5),
/// FileDescriptorName=).
struct PassedSocket {
    int descriptor = -1;
    std::string name{};
};

/// The passed sockets; empty when there are none. Called once, before there is a second thread.
[[nodiscard]] std::vector<PassedSocket> passed_sockets();

}  // namespace sftdyn::platform
