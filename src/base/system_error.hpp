// SPDX-License-Identifier: GPL-3.0-or-later
// The message for an errno. Thread-safe, unlike strerror(3).
#pragma once

#include <string>

namespace sftdyn::base {

[[nodiscard]] std::string system_error_text(int code);

/// The remedy when no file descriptor is left (EMFILE, ENFILE).
constexpr const char* descriptors_remedy =
    "raise the limit of file descriptors (LimitNOFILE= of the unit, ulimit -n), or lower "
    "connections";

}  // namespace sftdyn::base
