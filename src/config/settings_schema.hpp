// SPDX-License-Identifier: GPL-3.0-or-later
// The settings of a TOML configuration, each once: where it stands, what it may be, what it is when
// nobody says, and what makes a change take effect. From here come the reader, its messages, the
// defaults, the tables of the documents and the sample. What each means is told beside it, in
// settings_documentation.hpp, which the program is not linked with.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace sftdyn::config {

/// A table of the file, or several of the same kind.
enum class Section : std::uint8_t {
    top,          ///< outside of every table
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
/// As messages call it: "[dns]", "a client"; empty for the top.
[[nodiscard]] std::string_view label_of(Section section);

/// What a setting may be, and what it takes in the file.
enum class SettingKind : std::uint8_t {
    flag,     ///< true or false
    integer,  ///< a whole number within the setting's range
    seconds,  ///< a number within the setting's range, which is in milliseconds here
    choice,   ///< one of the setting's words
    path,     ///< the path of a file, relative to the configuration
    text,     ///< a text whose reader knows what it may hold
    texts,    ///< such a text, or a list of them
    listeners,
    command,
    table,  ///< a section of its own
    tables  ///< several
};

enum class Effect : std::uint8_t { reload, restart };

/// One setting of the TOML configuration. All of them are constants of the program.
struct Setting {
    Section section{};
    std::string_view name{};
    std::string_view former_name{};  ///< still taken, with a warning; empty: none
    SettingKind kind{};
    Effect effect{};
    std::int64_t least = 0, most = 0;  ///< of an integer, and of seconds in milliseconds
    /// The default: of a flag 0 or 1, of a choice the word's number, of a listener its port.
    std::int64_t fallback = 0;
    std::span<const std::string_view> words{};  ///< of a choice
    bool may_be_off = false;  ///< a path: `false` in its place keeps a default from standing there,
                              ///< and is the empty path
    /// Of a choice: takes what is none of its words, or returns false. Null: nothing else is taken.
    bool (*take_other)(Settings& settings, std::string_view word) = nullptr;
    /// Where `Settings` keeps it; null: in a structure that a hand-written reader fills.
    void (*set)(Settings& settings, std::int64_t value) = nullptr;
    std::optional<std::string>& (*path)(Settings& settings) = nullptr;
    /// Whether both have the same; not null of one that takes a restart, but for listeners' own.
    bool (*is_same)(const Settings& a, const Settings& b) = nullptr;
};

/// All of them, those of a section together.
[[nodiscard]] std::span<const Setting> all_settings();
[[nodiscard]] std::span<const Setting> settings_of(Section section);

/// Asking for one that there is not is a defect.
[[nodiscard]] const Setting& setting(Section section, std::string_view name);

/// "a whole number from 1 to 5000", "seconds, from 0.1 to 60", "true or false".
[[nodiscard]] std::string expected_of(const Setting& setting);

/// "[limits] threads", or "http".
[[nodiscard]] std::string full_name(const Setting& setting);

/// What has changed and takes a restart, in one line; empty: nothing.
[[nodiscard]] std::string restart_notice(const Settings& started, const Settings& now);

/// The setting that was meant by `name` in `section`: of the same name, there or elsewhere, else
/// one that is misspelt; those of `section` first. Null: `name` is like none of them. It may then
/// be a client's key that stands in the wrong place, and must not be shown.
[[nodiscard]] const Setting* meant_by(std::string_view name, Section section);

}  // namespace sftdyn::config
