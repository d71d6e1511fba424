// SPDX-License-Identifier: GPL-3.0-or-later
// Which files the process's own sandbox makes unreadable. "Permission denied" has other causes too,
// with other remedies, and code that reads files need not know the sandbox.
#pragma once

#include <string>
#include <vector>

namespace sftdyn::base {

constexpr const char* sandbox_remedy =
    "the sandbox ([process] landlock) lets this process read what was named in the configuration "
    "when it started: restart sftdyn";

/// Records that the process can read only `paths` and what is below them. Called once, before there
/// is a second thread.
void set_readable(std::vector<std::string> paths);

/// Whether the sandbox denies reading the file, or the target of its links. Thread-safe.
[[nodiscard]] bool is_kept_from(const std::string& path);

}  // namespace sftdyn::base
