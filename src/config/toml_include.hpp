// SPDX-License-Identifier: GPL-3.0-or-later
// The folder of further files with clients, which `include` names.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace sftdyn::config {

/// The files of a folder that are included.
struct IncludedFiles {
    std::vector<std::string> paths{};  ///< sorted by name, as octets
    std::string version{};  ///< differs when a file was added, removed, written or replaced
};

/// The files in `folder` whose names end in ".toml" and do not begin with a dot. The version is
/// determined before the files are read, so that a change during the read is noticed. An error: the
/// folder can't be read, or a file's name has a control character. The error's `where` is the
/// folder.
[[nodiscard]] base::Result<IncludedFiles> included_files(const std::string& folder);

}  // namespace sftdyn::config
