// SPDX-License-Identifier: GPL-3.0-or-later
// Opens a folder one name after the other, by descriptors: a symbolic link in the way is followed
// only where nobody but root and this user could have made it.
#pragma once

#include <filesystem>
#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// Whether folders that are not there are made, with mode 0755.
enum class MissingFolders : bool { refuse, make };

/// The folder, opened with O_PATH. `remedy` says what else to do when it can't be had.
[[nodiscard]] Result<Descriptor> walk_to_folder(const std::filesystem::path& folder,
                                                MissingFolders missing, const std::string& remedy);

/// The folder that a file is in: "." where the path is a name alone.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// Whether nobody but root and this user can put anything into the folder.
[[nodiscard]] bool is_ours_alone(int folder);

}  // namespace sftdyn::base
