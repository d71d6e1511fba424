// SPDX-License-Identifier: GPL-3.0-or-later
// Which files the process's own sandbox keeps it from: "Permission denied" has other causes, and
// other remedies. Whoever reads files may not know of the sandbox.
#pragma once

#include <string>
#include <vector>

namespace sftdyn::base {

constexpr const char* sandbox_remedy =
    "the sandbox ([process] landlock) lets this process read what was named in the configuration "
    "when it started: restart sftdyn";

/// From now on the process can read only what is one of `paths` or below one of them. To be called
/// once, before there is a second thread.
void set_readable(std::vector<std::string> paths);

/// Whether the sandbox keeps it from the file, or from where its links lead. Thread-safe.
[[nodiscard]] bool is_kept_from(const std::string& path);

}  // namespace sftdyn::base
