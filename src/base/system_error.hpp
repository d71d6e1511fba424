// SPDX-License-Identifier: GPL-3.0-or-later
// What an errno means, as text. Thread-safe, unlike strerror(3).
#pragma once

#include <string>

namespace sftdyn::base {

[[nodiscard]] std::string system_error_text(int code);

}  // namespace sftdyn::base
