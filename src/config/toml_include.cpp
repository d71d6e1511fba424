// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_include.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "base/kept_from.hpp"
#include "base/system_error.hpp"
#include "config/conf_file.hpp"
#include "config/toml_section.hpp"

namespace sftdyn::config {
namespace {

namespace fs = std::filesystem;

base::Error unreadable_folder(const std::string& folder, const std::error_code& error) {
    std::string remedy =
        "let the service's user read it, and into the folders above (chgrp, chmod 750)";
    if (error == std::errc::no_such_file_or_directory)
        remedy = fmt::format("make it (mkdir {}), or leave include out", folder);
    if (error == std::errc::not_a_directory)
        remedy = "name the folder: each file in it whose name ends in .toml is read";
    if (error == std::errc::permission_denied && base::is_kept_from(folder))
        remedy = base::sandbox_remedy;
    return {"the folder of include can't be read: " + base::system_error_text(error.value()),
            folder, std::move(remedy)};
}

bool is_included(std::string_view name) { return name.ends_with(".toml") && name.front() != '.'; }

/// FNV-1a, which is the same in each process.
class VersionHash {
public:
    void add(std::string_view text) {
        for (const char c : text) add_octet(static_cast<unsigned char>(c));
        add_octet(0);  // between two texts
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }

private:
    void add_octet(unsigned char octet) { value_ = (value_ ^ octet) * 0x100000001b3U; }

    std::uint64_t value_ = 0xcbf29ce484222325U;
};

}  // namespace

base::Result<IncludedFiles> included_files(const std::string& folder) {
    IncludedFiles found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!is_included(name)) continue;
        if (has_control_characters(name))
            return base::Error{"a file's name has a line break or another control character in it",
                               folder, "rename it"};
        found.paths.push_back((fs::path(folder) / name).string());
    }
    if (error) return unreadable_folder(folder, error);
    std::sort(found.paths.begin(), found.paths.end());
    // The names only: the folder may be named in another way by whoever compares.
    VersionHash hash;
    for (const auto& path : found.paths) {
        hash.add(fs::path(path).filename().string());
        hash.add(version_of(path));
    }
    found.version = fmt::format("{}/{:016x}", found.paths.size(), hash.value());
    return base::Result<IncludedFiles>(boost::system::in_place_value, std::move(found));
}

}  // namespace sftdyn::config
