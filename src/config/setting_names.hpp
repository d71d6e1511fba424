// The names of all settings of a TOML configuration, and which of them somebody may have meant.
//
// A name in the file that is none of ours may be a client's key that stands in the wrong place. It
// is therefore shown in a message only if it is one of our names or a slip of the keyboard away
// from one.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sftdyn::config {

struct SettingName {
    std::string_view section;  ///< as it is headed: "[dns]"; empty: the file's top
    std::string_view name;
};

[[nodiscard]] std::span<const SettingName> setting_names();

/// The setting that was meant by `name` in `section`: of the same name, there or elsewhere, else
/// one that is misspelt; those of `section` first. Nothing: `name` is like none of them, and must
/// not be shown.
[[nodiscard]] std::optional<SettingName> meant_by(std::string_view name, std::string_view section);

}  // namespace sftdyn::config
