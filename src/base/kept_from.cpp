// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/kept_from.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace sftdyn::base {
namespace {

namespace fs = std::filesystem;

/// `nullopt` when there is no sandbox.
std::optional<std::vector<std::string>>& readable() {
    static std::optional<std::vector<std::string>> paths;
    return paths;
}

/// The path with its symbolic links resolved, as Landlock resolves the path of a rule.
fs::path place_of(const fs::path& path) {
    std::error_code error;
    auto place = fs::weakly_canonical(path, error);
    return error ? fs::absolute(path, error).lexically_normal() : place;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
           folder.end();
}

}  // namespace

void set_readable(std::vector<std::string> paths) { readable() = std::move(paths); }

bool is_kept_from(const std::string& path) {
    if (!readable()) return false;
    const fs::path place = place_of(path);
    return std::ranges::none_of(*readable(), [&place](const std::string& folder) {
        return is_below(place, place_of(folder));
    });
}

}  // namespace sftdyn::base
