// SPDX-License-Identifier: GPL-3.0-or-later
// What another user of this machine may do.
#pragma once

#include <string>

namespace sftdyn::platform {

/// Whether that user may do it to the path: `mode` as for access(2). Without the right to become
/// the user, it is judged for whoever asks.
[[nodiscard]] bool may(const std::string& user, const std::string& path, int mode);

}  // namespace sftdyn::platform
