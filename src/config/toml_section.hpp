// SPDX-License-Identifier: GPL-3.0-or-later
// Shared by the readers of a TOML configuration: diagnostics with line and column, and access to
// the settings of a table by the schema. A setting that is not in the schema is an error.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/result.hpp"
#include "config/settings_schema.hpp"
#include "config/toml_reader.hpp"

namespace sftdyn::config {

/// The path and the diagnostics of one file, shared by its readers.
struct TomlContext {
    explicit TomlContext(std::string file, std::uint32_t file_number = 0)
        : path(std::move(file)), number(file_number) {}

    /// Adds an error. `what` and `remedy` must not quote the file: a client's key may be anywhere
    /// in it by mistake. The position tells which text is wrong.
    void error(const toml::source_position& at, std::string what, std::string remedy);
    void error(const toml::source_region& at, std::string what, std::string remedy) {
        error(at.begin, std::move(what), std::move(remedy));
    }

    /// Adds a warning about something that is accepted but should be written in another way. It
    /// must not quote the file either.
    void warning(const toml::source_region& at, std::string what, std::string remedy);

    /// The errors, sorted by their position in the file. Moves them out.
    [[nodiscard]] Diagnostics diagnostics() { return in_order(found); }
    [[nodiscard]] Diagnostics warnings() { return in_order(found_warnings); }
    /// The path of a file that the configuration names. Relative paths are relative to the
    /// configuration; `credential:NAME` is a file that systemd passes (systemd.exec(5),
    /// LoadCredential=).
    [[nodiscard]] std::string relative(const std::string& file) const;

    /// A diagnostic and its position in the file.
    struct Found {
        toml::source_position at;
        base::Error error;
    };
    std::string path;
    std::uint32_t number;  ///< of SourceLine::file
    std::vector<Found> found{};
    std::vector<Found> found_warnings{};

private:
    [[nodiscard]] static Diagnostics in_order(std::vector<Found>& all);
    [[nodiscard]] Found at_place(const toml::source_position& at, std::string what,
                                 std::string remedy) const;
};

/// Reads the settings of one table, and reports invalid settings and settings that are not in the
/// schema. When a setting is missing or invalid, its target keeps its value. Every `name` must be
/// in the schema; otherwise `setting` throws std::logic_error.
class TomlSection {
public:
    TomlSection(TomlContext& context, const toml::table& table, Section section)
        : TomlSection(context, table, section, label_of(section)) {}
    /// `label` is the table's name in messages, instead of the section's.
    TomlSection(TomlContext& context, const toml::table& table, Section section,
                std::string_view label)
        : context_(context), table_(table), section_(section), label_(label) {}

    /// Reads all settings of the section whose schema says how to store them in `Settings`.
    void plain(Settings& settings);

    /// The setting's entry in the schema.
    [[nodiscard]] const Setting& schema(std::string_view name) const {
        return setting(section_, name);
    }
    /// The unvalidated value, under the setting's name or its former name; null: it is missing. The
    /// caller reports errors.
    [[nodiscard]] const toml::node* take(std::string_view name) const;
    /// As `take`, but an empty list is an error, with `remedy`.
    const toml::node* take_some(std::string_view name, const char* remedy);

    /// Calls `use` with a text. The error of `use` is reported, and must not quote the text.
    void text(std::string_view name, const char* expected,
              const std::function<base::Result<void>(const std::string&)>& use);
    /// The path of a file, resolved by TomlContext::relative.
    void path(std::string_view name, std::optional<std::string>& target);
    /// A whole number, or seconds, within the schema's range.
    template <class T>
    void integer(std::string_view name, T& target) {
        if (const auto value = number(schema(name))) {
            if constexpr (std::is_integral_v<T>) {
                target = static_cast<T>(*value);
            } else {
                target = static_cast<typename T::value_type>(*value);
            }
        }
    }
    void flag(std::string_view name, bool& target);
    /// The index of the word in the schema; nothing: the setting is missing or invalid.
    std::optional<std::int64_t> choice(std::string_view name) { return number(schema(name)); }
    /// Calls `use` with the table of that name, if it is there.
    void table(std::string_view name, const std::function<void(const toml::table&)>& use);
    /// Calls `use` with each table of that name.
    void tables(std::string_view name, const std::function<void(const toml::table&)>& use);

    /// Reports the settings that the schema does not have here, and former names. Call it last.
    void reject_unknown();

    void wrong_type(const toml::node& node, std::string_view name, std::string_view expected);
    void wrong_type(const toml::node& node, const Setting& setting) {
        wrong_type(node, setting.name, expected_of(setting));
    }

private:
    /// The value as a number: a flag as 0 or 1, an integer, seconds in milliseconds, a choice as
    /// the index of its word.
    std::optional<std::int64_t> number(const Setting& setting);
    std::optional<std::int64_t> milliseconds(const Setting& setting, const toml::node& node);
    std::optional<std::int64_t> word(const Setting& setting, const toml::node& node);
    void out_of_range(const toml::node& node, const Setting& setting);
    /// Reports a setting under its former name: a warning, or an error if the new name is there
    /// too.
    void former_name(const toml::source_region& at, const Setting& row);
    /// A guess what an unknown setting with this value was meant to be; precedes other advice.
    [[nodiscard]] std::string hint(const toml::node& node) const;

    TomlContext& context_;
    const toml::table& table_;
    Section section_;
    std::string_view label_;
};

[[nodiscard]] bool has_control_characters(std::string_view text);

/// Calls `use` with a single value, or with each value of a list.
void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use);

}  // namespace sftdyn::config
