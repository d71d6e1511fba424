// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/socket_activation.hpp"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <memory>

#include "base/log.hpp"
#include "base/shared_library.hpp"

namespace sftdyn::platform {
namespace {

/// Loads libsystemd, which takes a megabyte with its dependencies. Called only when systemd passed
/// sockets.
decltype(&sd_listen_fds_with_names) load() {
    base::SharedLibrary systemd("libsystemd.so.0");
    const auto function =
        systemd.function<decltype(sd_listen_fds_with_names)>("sd_listen_fds_with_names");
    if (function == nullptr)
        base::log::error("systemd passed sockets, but libsystemd can't be loaded: {}",
                         systemd.error());
    return function;
}

}  // namespace

std::vector<PassedSocket> passed_sockets() {
    std::vector<PassedSocket> sockets;
    if (std::getenv("LISTEN_FDS") == nullptr) return sockets;
    const auto listen_fds = load();
    if (listen_fds == nullptr) return sockets;
    char** names = nullptr;
    const int count = listen_fds(1, &names);
    for (int i = 0; i < count; ++i) {
        const std::unique_ptr<char, decltype(&std::free)> text(names[i], &std::free);
        sockets.push_back({SD_LISTEN_FDS_START + i, text.get()});
    }
    std::free(names);
    return sockets;
}

}  // namespace sftdyn::platform
