// What the readers of a TOML configuration share: complaints with line and column, and settings
// taken out of a table one by one, so that what nobody took is known to be a mistake.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/result.hpp"
#include "config/toml_reader.hpp"

namespace sftdyn::config {

constexpr std::int64_t largest_ttl = 0x7fffffff;  // seconds; RFC 2181 §8

/// What the readers of one file share.
struct TomlContext {
    explicit TomlContext(std::string file) : path(std::move(file)) {}

    /// Neither `what` nor `mend` quotes the file: wherever its text stands, a client's key may
    /// stand by mistake. The place says what is meant.
    void complain(const toml::source_position& at, std::string what, std::string mend);
    void complain(const toml::source_region& at, std::string what, std::string mend) {
        complain(at.begin, std::move(what), std::move(mend));
    }

    /// In the file's order, whatever the order they were found in.
    [[nodiscard]] Complaints complaints();
    /// A file that the configuration names: relative to itself, or one that systemd hands over
    /// (systemd.exec(5), LoadCredential=).
    [[nodiscard]] std::string relative(const std::string& file) const;

    struct Found {
        toml::source_position at;
        base::Error error;
    };
    std::string path;
    std::vector<Found> found{};
};

/// Takes settings out of a table one by one, and complains of those that are wrong, and of those
/// that nobody took. A setting that is not there, or wrong, leaves its target as it was.
class TomlSection {
public:
    /// `name` is for messages: [dns], a client; empty for the file's top.
    TomlSection(TomlContext& context, const toml::table& table, std::string name)
        : context_(context), table_(table), name_(std::move(name)) {}

    /// The value as it stands, if it is there; what is wrong with it is the caller's to say.
    const toml::node* take(std::string_view key);

    /// `use` says what is wrong with the text, without the text.
    void text(std::string_view key, const char* expected,
              const std::function<base::Result<void>(const std::string&)>& use);
    /// The path of a file.
    void path(const char* key, std::optional<std::string>& target);
    template <class T>
    void integer(std::string_view key, std::int64_t least, std::int64_t most, T& target) {
        if (const auto value = integer(key, least, most))
            target = static_cast<typename Plain<T>::Type>(*value);
    }
    void seconds(std::string_view key, double least, double most,
                 std::chrono::milliseconds& target);
    void flag(std::string_view key, bool& target);
    /// Calls `use` for the table of that name.
    void table(std::string_view key, const std::function<void(const toml::table&)>& use);

    /// To be called last.
    void reject_unknown();

    void wrong_type(const toml::node& node, std::string_view key, std::string_view expected);

private:
    template <class T>
    struct Plain {
        using Type = T;
    };
    template <class T>
    struct Plain<std::optional<T>> {
        using Type = T;
    };

    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                        std::int64_t most);
    void out_of_range(const toml::node& node, std::string_view key, std::string_view expected);
    /// What an unknown setting with this value may be, to stand in front of other advice.
    [[nodiscard]] std::string hint(const toml::node& node) const;

    TomlContext& context_;
    const toml::table& table_;
    std::string name_;
    std::vector<std::string> known_;
};

[[nodiscard]] bool has_control_characters(std::string_view text);

/// A value or a list of values; `use` gets each.
void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use);

}  // namespace sftdyn::config
