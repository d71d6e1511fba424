// SPDX-License-Identifier: GPL-3.0-or-later
// What the process gives up once it listens: root, capabilities, core dumps, files it needs not,
// system calls it needs not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sftdyn::platform {

/// What the process must still be able to do once it is in the sandbox.
struct SandboxSettings {
    std::optional<std::string> user{};  ///< whom to become, when it is root
    bool seccomp = true;
    bool landlock = true;
    std::vector<std::string> files{};     ///< that must stay readable, also when they are replaced
    std::vector<std::string> sockets{};   ///< Unix sockets to be taken away at the end
    std::vector<std::string> writable{};  ///< folders whose files may be written
    std::vector<int> connected{};  ///< Unix datagram sockets, which stay connected to whom they are
};

/// The user, capabilities, core dumps and the right to new privileges. To be called before there is
/// a second thread. An error only where going on would be against what was asked for (the user).
[[nodiscard]] base::Result<void> drop_privileges(const std::optional<std::string>& user);

/// The same for a thread that was there before it: the capabilities and the right to new privileges
/// are each thread's own.
void drop_thread_privileges();

/// Landlock and seccomp, after `drop_privileges` and before there is a second thread. What the
/// kernel does not offer is said in the log.
void enter_sandbox(const SandboxSettings& wanted);

/// The same for the process that runs the event command; the command is in the sandbox with it.
void enter_helper_sandbox(bool landlock, bool seccomp);

}  // namespace sftdyn::platform
