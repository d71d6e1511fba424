// SPDX-License-Identifier: GPL-3.0-or-later
// What the readers of a TOML configuration share: diagnostics with line and column, and settings
// taken out of a table as the schema has them, so that what it does not have is a mistake.
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

/// What the readers of one file share.
struct TomlContext {
    explicit TomlContext(std::string file) : path(std::move(file)) {}

    /// Neither `what` nor `remedy` quotes the file: wherever its text stands, a client's key may
    /// stand by mistake. The place says what is meant.
    void error(const toml::source_position& at, std::string what, std::string remedy);
    void error(const toml::source_region& at, std::string what, std::string remedy) {
        error(at.begin, std::move(what), std::move(remedy));
    }

    /// What is taken, and should be written in another way. It quotes no more than an error does.
    void warning(const toml::source_region& at, std::string what, std::string remedy);

    /// The errors in the file's order, whatever the order they were found in.
    [[nodiscard]] Diagnostics diagnostics() { return in_order(found); }
    [[nodiscard]] Diagnostics warnings() { return in_order(found_warnings); }
    /// A file that the configuration names: relative to itself, or one that systemd hands over
    /// (systemd.exec(5), LoadCredential=).
    [[nodiscard]] std::string relative(const std::string& file) const;

    /// A diagnostic, and where in the file it belongs.
    struct Found {
        toml::source_position at;
        base::Error error;
    };
    std::string path;
    std::vector<Found> found{};
    std::vector<Found> found_warnings{};

private:
    [[nodiscard]] static Diagnostics in_order(std::vector<Found>& all);
    [[nodiscard]] Found at_place(const toml::source_position& at, std::string what,
                                 std::string remedy) const;
};

/// Takes settings out of a table, and makes a diagnostic of those that are wrong, and of those that
/// the schema does not have there. A setting that is not there, or wrong, leaves its target as it
/// was. To name one that the schema does not have is a defect.
class TomlSection {
public:
    TomlSection(TomlContext& context, const toml::table& table, Section section)
        : TomlSection(context, table, section, label_of(section)) {}
    /// `label` is for messages, where the section has none of its own.
    TomlSection(TomlContext& context, const toml::table& table, Section section,
                std::string_view label)
        : context_(context), table_(table), section_(section), label_(label) {}

    /// All settings of the section that go straight into `Settings`.
    void plain(Settings& settings);

    /// What the schema says of it.
    [[nodiscard]] const Setting& schema(std::string_view name) const {
        return setting(section_, name);
    }
    /// The value as it stands, under the setting's name or its former one, if it is there; what is
    /// wrong with it is the caller's to say.
    [[nodiscard]] const toml::node* take(std::string_view name) const;
    /// As `take`, without an empty list: that is a diagnostic, which says what to do for what the
    /// reader of the file may have meant by it.
    const toml::node* take_some(std::string_view name, const char* remedy);

    /// `use` says what is wrong with the text, without the text.
    void text(std::string_view name, const char* expected,
              const std::function<base::Result<void>(const std::string&)>& use);
    /// The path of a file.
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
    /// The number of one of the schema's words.
    std::optional<std::int64_t> choice(std::string_view name) { return number(schema(name)); }
    /// Calls `use` for the table of that name.
    void table(std::string_view name, const std::function<void(const toml::table&)>& use);
    /// Calls `use` for each table of that name.
    void tables(std::string_view name, const std::function<void(const toml::table&)>& use);

    /// To be called last.
    void reject_unknown();

    void wrong_type(const toml::node& node, std::string_view name, std::string_view expected);
    void wrong_type(const toml::node& node, const Setting& setting) {
        wrong_type(node, setting.name, expected_of(setting));
    }

private:
    /// The value of a setting that is a number inside: a flag, an integer, seconds in milliseconds,
    /// the number of a word.
    std::optional<std::int64_t> number(const Setting& setting);
    std::optional<std::int64_t> milliseconds(const Setting& setting, const toml::node& node);
    std::optional<std::int64_t> word(const Setting& setting, const toml::node& node);
    void out_of_range(const toml::node& node, const Setting& setting);
    /// The setting stands there under its former name.
    void former_name(const toml::source_region& at, const Setting& row);
    /// What an unknown setting with this value may be, to stand in front of other advice.
    [[nodiscard]] std::string hint(const toml::node& node) const;

    TomlContext& context_;
    const toml::table& table_;
    Section section_;
    std::string_view label_;
};

[[nodiscard]] bool has_control_characters(std::string_view text);

/// A value or a list of values; `use` gets each.
void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use);

}  // namespace sftdyn::config
