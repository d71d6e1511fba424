// SPDX-License-Identifier: GPL-3.0-or-later
// Landlock (Linux 5.13): which files a process may use, and from which ABI on also whom it may
// signal or connect to. The rights that the running kernel offers are asked for at run time; the
// headers of the build may know fewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace sftdyn::platform {

/// What the sandboxed program still needs of files.
struct LandlockRules {
    std::vector<std::string> files{};     ///< to be read, also when they are replaced
    std::vector<std::string> sockets{};   ///< Unix sockets to be removed at the end
    std::vector<std::string> writable{};  ///< folders whose files may be made, written and removed
};

/// The kernel's ABI version; 0: it has no Landlock.
[[nodiscard]] int landlock_abi();

/// What Landlock of this ABI can't prevent, in words; empty: it prevents all that it is used for.
/// seccomp prevents it too.
[[nodiscard]] std::string landlock_gaps(int abi);

/// Restricts this thread and those that it starts to the rules, for ever. A rule that can't be set
/// is left out, which permits less, and is said in the log. On failure nothing is restricted.
[[nodiscard]] base::Result<void> restrict_files(const LandlockRules& rules);

/// For a process that has to run a command of the administrator's: it and what it starts make no
/// device, and trace no process that is not of theirs. Landlock's rules hold for the command too,
/// so they can be no narrower.
[[nodiscard]] base::Result<void> restrict_tracing();

}  // namespace sftdyn::platform
