// SPDX-License-Identifier: GPL-3.0-or-later
// The schema of a TOML configuration. It has each setting once: its section, its type and range,
// its default, and whether a change takes effect with a reload or a restart. The reader, its
// messages, the defaults, the tables of the documents and the sample file all use it. The meaning
// of each setting is in settings_documentation.hpp, which the program is not linked with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace sftdyn::config {

/// A kind of table in the file.
enum class Section : std::uint8_t {
    top,          ///< outside of all tables
    listener,     ///< http = { … }
    certificate,  ///< [[certificate]]
    addresses,
    dns,
    zone,  ///< [[zone]]
    limits,
    process,
    admin,
    client,        ///< "key" = { … }
    named_client,  ///< [clients.NAME]
    host           ///< of a named client: hosts = [{ … }]
};
/// The section's name in messages: "[dns]", "a client"; empty for the top.
[[nodiscard]] std::string_view label_of(Section section);

/// The type of a setting, and how it is written in the file.
enum class SettingKind : std::uint8_t {
    flag,     ///< true or false
    integer,  ///< a whole number within the setting's range
    seconds,  ///< a number within the range; the schema has the range in milliseconds
    choice,   ///< one of the setting's words
    path,     ///< the path of a file, relative to the configuration
    text,     ///< a text that its own reader validates
    texts,    ///< such a text, or a list of them
    listeners,
    command,
    table,  ///< a section of its own
    tables  ///< an array of tables
};

/// When a change of a setting takes effect.
enum class Effect : std::uint8_t { reload, restart };

/// One setting of the TOML configuration. All settings are compile-time constants.
struct Setting {
    Section section{};
    std::string_view name{};
    std::string_view former_name{};  ///< still accepted, with a warning; empty: none
    SettingKind kind{};
    Effect effect{};
    std::int64_t least = 0, most = 0;  ///< range of an integer, and of seconds in milliseconds
    /// The default: for a flag 0 or 1, for a choice the index of its word, for a listener its port.
    std::int64_t fallback = 0;
    std::span<const std::string_view> words{};  ///< of a choice
    /// Of a path: `false` is accepted, prevents the default, and is stored as the empty path.
    bool may_be_off = false;
    /// Of a choice: stores a value that is not one of `words`, or returns false if it is invalid.
    /// Null: only `words` are accepted.
    bool (*take_other)(Settings& settings, std::string_view word) = nullptr;
    /// Stores the value in `Settings`. Null: `path` is used, or a hand-written reader.
    void (*set)(Settings& settings, std::int64_t value) = nullptr;
    std::optional<std::string>& (*path)(Settings& settings) = nullptr;
    /// Whether both have the same value. Not null when a change needs a restart, except for the
    /// settings inside a listener.
    bool (*is_same)(const Settings& a, const Settings& b) = nullptr;
};

/// All settings, sorted by section.
[[nodiscard]] std::span<const Setting> all_settings();
[[nodiscard]] std::span<const Setting> settings_of(Section section);

/// Throws std::logic_error when the schema has no such setting: that is a defect.
[[nodiscard]] const Setting& setting(Section section, std::string_view name);

/// The valid values: "a whole number from 1 to 5000", "seconds, from 0.1 to 60", "true or false".
[[nodiscard]] std::string expected_of(const Setting& setting);

/// "[limits] threads", or "http".
[[nodiscard]] std::string full_name(const Setting& setting);

/// Names the changed settings that need a restart, in one line; empty: there are none.
[[nodiscard]] std::string restart_notice(const Settings& started, const Settings& now);

/// The setting that an unknown `name` in `section` probably means: one with the same or a similar
/// name, searched in `section` first and then in all sections. Null: no setting is similar. `name`
/// may then be a client's key in the wrong place, and must not be shown.
[[nodiscard]] const Setting* meant_by(std::string_view name, Section section);

}  // namespace sftdyn::config
