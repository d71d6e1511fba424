// SPDX-License-Identifier: GPL-3.0-or-later
// Restricts the system calls of a process (seccomp(2)). A call that is not allowed fails with
// EPERM.
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

/// The filter for the program itself: threads but no processes, no signals to other processes,
/// files for reading only unless `needs` says otherwise, IP sockets. The sockets of `connected`
/// keep their peers. It applies to this thread and the threads that it starts, permanently. Does
/// nothing in a build with a sanitizer, whose run-time needs more calls.
[[nodiscard]] base::Result<void> filter_calls(const SeccompNeeds& needs);

/// The filter for the process that runs the event command, and for the command: everything except
/// calls that change the system, inspect other processes or reach rarely used parts of the kernel.
[[nodiscard]] base::Result<void> filter_calls_of_helper();

}  // namespace sftdyn::platform
