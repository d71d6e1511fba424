// SPDX-License-Identifier: GPL-3.0-or-later
// Which system calls a process may make (seccomp(2)). Any other fails with EPERM.
#pragma once

#include "base/result.hpp"

namespace sftdyn::platform {

/// What the sandboxed program does beyond answering requests.
struct SeccompNeeds {
    bool writes_state = false;    ///< SQLite writes to files of the state folder
    bool removes_files = false;   ///< Unix sockets are removed at the end
    bool unix_datagrams = false;  ///< systemd is told, or the journal
};

/// For the program itself: threads but no processes, no signals to others, files for reading only,
/// IP sockets. For this thread and those that it starts, for ever. Does nothing where a sanitizer's
/// run-time needs more.
[[nodiscard]] base::Result<void> filter_calls(const SeccompNeeds& needs);

/// For the process that runs the event command, and for the command: everything but what changes
/// the system, looks into other processes or reaches rarely used parts of the kernel.
[[nodiscard]] base::Result<void> filter_calls_of_helper();

}  // namespace sftdyn::platform
