// SPDX-License-Identifier: GPL-3.0-or-later
// Runs another program to its end, and reads what it prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sftdyn::platform {

/// Its standard output; nothing when it can't be run, or ends with another status than 0.
[[nodiscard]] std::optional<std::string> output_of(const std::vector<std::string>& command);

}  // namespace sftdyn::platform
