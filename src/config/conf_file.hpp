// SPDX-License-Identifier: GPL-3.0-or-later
// The configuration file: checks that it can be read, and reads it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace sftdyn::config {

/// A million clients take some 100 MB.
constexpr std::uint64_t largest_conf = 1ULL << 30;  // octets

/// What a file is for the message that it can't be read.
enum class ConfRole : std::uint8_t { configuration, included };

/// An error unless `path` is a regular file that can be opened and is not larger than
/// `largest_conf`. Does not block on a pipe.
[[nodiscard]] base::Result<void> check_conf(const std::string& path);

/// Reads the whole text, with the checks of `check_conf`. The caller zeroizes it.
[[nodiscard]] base::Result<std::string> read_conf(const std::string& path,
                                                  ConfRole role = ConfRole::configuration);

/// Identifies the state of a file: modification time, size and inode. It differs after the file was
/// written or replaced. Empty: the file can't be examined. Call it before the file is read, so that
/// a change during the read is noticed.
[[nodiscard]] std::string version_of(const std::string& path);

}  // namespace sftdyn::config
