// SPDX-License-Identifier: GPL-3.0-or-later
// Landlock (Linux 5.13) restricts which files a process may use; later ABIs also restrict signals
// and connections to other processes. The rights that the running kernel offers are determined at
// run time, since the headers of the build may know fewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sftdyn::platform {

/// The file access that the sandboxed program needs.
struct LandlockRules {
    std::vector<std::string> files{};     ///< readable, also after they are replaced
    std::vector<std::string> sockets{};   ///< Unix sockets to remove at the end
    std::vector<std::string> writable{};  ///< folders to create, write and remove files in
};

/// The ABI version of the kernel's Landlock; 0 without Landlock.
[[nodiscard]] int landlock_abi();

/// What Landlock of this ABI can't prevent, as text; empty when it prevents everything that it is
/// used for. seccomp prevents these things too.
[[nodiscard]] std::string landlock_gaps(int abi);

/// Restricts this thread and the threads that it starts to the rules, permanently. A rule that
/// can't be set is left out, which permits less, and is logged. On failure nothing is restricted.
[[nodiscard]] base::Result<void> restrict_files(const LandlockRules& rules);

/// For a process that runs a command of the administrator: it and its children can't create
/// devices, and can't trace processes outside their sandbox. The command inherits the Landlock
/// rules, so they can't be narrower.
[[nodiscard]] base::Result<void> restrict_tracing();

}  // namespace sftdyn::platform
