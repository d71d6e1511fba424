// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration as a file: what may be one, and its text.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace sftdyn::config {

/// A million clients take some 100 MB.
constexpr std::uint64_t largest_conf = 1ULL << 30;  // octets

/// Whether `path` is a file that can be read to its end: no pipe, no device, and not larger than
/// `largest_conf`. Does not wait.
[[nodiscard]] base::Result<void> check_conf(const std::string& path);

/// The whole text; as `check_conf`.
[[nodiscard]] base::Result<std::string> read_conf(const std::string& path);

/// Tells one state of a file from another: it is different once the file was written or replaced.
/// Empty: there is no such file. To be asked before the file is read.
[[nodiscard]] std::string version_of(const std::string& path);

}  // namespace sftdyn::config
