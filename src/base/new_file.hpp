// Makes files that were not there: nobody's key is overwritten.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace sftdyn::base {

/// `mend` says what else to do when it can't be made.
[[nodiscard]] Result<void> create_file(const std::filesystem::path& path, const std::string& text, mode_t mode, const std::string& mend);

}  // namespace sftdyn::base
