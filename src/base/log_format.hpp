// SPDX-License-Identifier: GPL-3.0-or-later
// In which form the log is written, for headers that need no more of it.
#pragma once

#include <cstdint>

namespace sftdyn::base::log {

/// The form of the lines on standard error.
enum class Format : std::uint8_t { text, json };

}  // namespace sftdyn::base::log
