// SPDX-License-Identifier: GPL-3.0-or-later
// Writes each line of the log as a JSON object, for programs that collect logs.
#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace sftdyn::base::log {

/// One object per line: `time` (RFC 3339, UTC, milliseconds), `level`, `message`, and the fields of
/// the current FieldScope under their names without SFTDYN_, in lower case. A field with several
/// values is an array. Every text passes through `terminal_safe`, so that the line is valid UTF-8
/// whatever was logged. `developer` adds `thread`, and the time has microseconds. Formats on the
/// thread that logs.
[[nodiscard]] std::unique_ptr<spdlog::formatter> json_formatter(bool developer);

}  // namespace sftdyn::base::log
