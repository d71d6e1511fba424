// SPDX-License-Identifier: GPL-3.0-or-later
// Reads an existing file that another user could have planted: in a folder that others can write
// to, anybody can create a file with a well-known name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace sftdyn::base {

/// The text of a file that belongs to the user of this process: a regular file that only this user
/// may write to, in a folder where only this user may write: others could have renamed or linked a
/// file of this user to the name. The folder is opened as described in base/folder_walk.hpp; the
/// file itself must not be a symbolic link, and a FIFO does not block. `nullopt` when there is no
/// such file; an error when it has more than `largest` octets. `remedy` tells the reader of an
/// error what else to do.
[[nodiscard]] Result<std::optional<Secret>> read_own_file(const std::filesystem::path& path,
                                                          std::size_t largest,
                                                          const std::string& remedy);

}  // namespace sftdyn::base
