// SPDX-License-Identifier: GPL-3.0-or-later
// Runs another program to its end, and reads its output.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sftdyn::platform {

/// Its standard output; `nullopt` when it can't be run, or exits with a status other than 0.
[[nodiscard]] std::optional<std::string> output_of(const std::vector<std::string>& command);

}  // namespace sftdyn::platform
