// SPDX-License-Identifier: GPL-3.0-or-later
// Whether this is a build with a sanitizer, whose run-time makes system calls of its own and
// inspects the process with ptrace(2).
#pragma once

namespace sftdyn::base {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace sftdyn::base
