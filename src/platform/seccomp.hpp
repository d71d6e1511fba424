// SPDX-License-Identifier: GPL-3.0-or-later
// Which system calls a process may make (seccomp(2)). Any other fails with EPERM.
#pragma once

#include <vector>

#include "base/result.hpp"

namespace sftdyn::platform {

/// What the sandboxed program does beyond answering requests.
struct SeccompNeeds {
    bool writes_state = false;     ///< SQLite writes to files of the state folder
    bool removes_files = false;    ///< Unix sockets are removed at the end
    std::vector<int> connected{};  ///< Unix datagram sockets: to systemd, and to the journal
};

/// For the program itself: threads but no processes, no signals to others, files for reading only,
/// IP sockets; what goes by a socket of `connected` goes to whom that is connected to. For this
/// thread and those that it starts, for ever. Does nothing where a sanitizer's run-time needs more.
[[nodiscard]] base::Result<void> filter_calls(const SeccompNeeds& needs);

/// For the process that runs the event command, and for the command: everything but what changes
/// the system, looks into other processes or reaches rarely used parts of the kernel.
[[nodiscard]] base::Result<void> filter_calls_of_helper();

}  // namespace sftdyn::platform
