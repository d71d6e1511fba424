// SPDX-License-Identifier: GPL-3.0-or-later
// What an errno means, as text. Thread-safe, unlike strerror(3).
#pragma once

#include <string>

namespace sftdyn::base {

[[nodiscard]] std::string system_error_text(int code);

/// What to do where there is no descriptor left (EMFILE, ENFILE).
constexpr const char* descriptors_remedy =
    "raise the limit of file descriptors (LimitNOFILE= of the unit, ulimit -n), or lower "
    "connections";

}  // namespace sftdyn::base
