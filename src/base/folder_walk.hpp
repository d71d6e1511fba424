// SPDX-License-Identifier: GPL-3.0-or-later
// Opens a folder one path component at a time, by descriptors. A symbolic link is followed only in
// a folder where nobody but root and this user can create one.
#pragma once

#include <filesystem>
#include <string>

#include "base/descriptor.hpp"
#include "base/result.hpp"

namespace sftdyn::base {

/// Whether missing folders are created, with mode 0755.
enum class MissingFolders : bool { refuse, make };

/// The folder, opened with O_PATH. `remedy` tells the reader of an error what else to do.
[[nodiscard]] Result<Descriptor> walk_to_folder(const std::filesystem::path& folder,
                                                MissingFolders missing, const std::string& remedy);

/// The folder that contains `file`; "." when the path is only a name.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// Whether nobody but root and this user can create files in the folder.
[[nodiscard]] bool is_ours_alone(int folder);

}  // namespace sftdyn::base
