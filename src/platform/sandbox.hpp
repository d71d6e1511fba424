// SPDX-License-Identifier: GPL-3.0-or-later
// What the process gives up once it listens: root, capabilities, core dumps, and the files and
// system calls that it does not need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sftdyn::platform {

/// What the process must still be able to do in the sandbox.
struct SandboxSettings {
    std::optional<std::string> user{};  ///< the user to switch to, when this is root
    bool seccomp = true;
    bool landlock = true;
    std::vector<std::string> files{};     ///< must stay readable, also after they are replaced
    std::vector<std::string> sockets{};   ///< Unix sockets to remove at the end
    std::vector<std::string> writable{};  ///< folders to create, write and remove files in
    std::vector<int> connected{};         ///< Unix datagram sockets, which keep their peers
};

/// Switches to `user`, and drops capabilities, core dumps and the right to gain privileges. Called
/// before there is a second thread. Fails only when it can't switch to the user; other failures are
/// logged.
[[nodiscard]] base::Result<void> drop_privileges(const std::optional<std::string>& user);

/// The same for a thread that was there before it: the capabilities and the right to new privileges
/// are each thread's own.
void drop_thread_privileges();

/// Landlock and seccomp, after `drop_privileges` and before there is a second thread. What the
/// kernel does not offer is said in the log.
void enter_sandbox(const SandboxSettings& wanted);

/// The same for the process that runs the event command. The command inherits the sandbox.
void enter_helper_sandbox(bool landlock, bool seccomp);

}  // namespace sftdyn::platform
