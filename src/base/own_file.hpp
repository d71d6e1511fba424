// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a file that was there before, where who else may have put it there matters: in a folder
// that others write to, anybody may have laid a file of a well-known name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace sftdyn::base {

/// The text of a file that is whose who runs this: regular, of this user, and writable by nobody
/// else; in a folder where others may write also without another name, which they might have given
/// it. It is opened as base/folder_walk.hpp says; no symbolic link is followed in its place, and no
/// pipe is waited for. Nothing: there is no such file. `remedy` says what else to do when it is
/// not to be used.
[[nodiscard]] Result<std::optional<Secret>> read_own_file(const std::filesystem::path& path,
                                                          std::size_t largest,
                                                          const std::string& remedy);

}  // namespace sftdyn::base
