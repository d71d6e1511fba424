// SPDX-License-Identifier: GPL-3.0-or-later
// Checks file access for another user of this machine.
#pragma once

#include <string>

namespace sftdyn::platform {

/// Whether `user` may access `path`; `mode` as for access(2). When this process is not root, or
/// there is no such user, the answer is for this process.
[[nodiscard]] bool may(const std::string& user, const std::string& path, int mode);

}  // namespace sftdyn::platform
