// SPDX-License-Identifier: GPL-3.0-or-later
// The parameters of a query or form, and the segments of a path.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sftdyn::protocol {

/// `%XX` undone (RFC 3986 §2.1). What is no valid encoding stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// One of a request.
struct Parameter {
    std::string name{};
    std::string value{};
    bool has_value = true;  ///< else it is a word alone
};

/// name=value pairs, as HTML forms send them: split at `&`, `+` is a space, then `%XX` is undone.
/// Who sends them need not have shown a credential yet: at most `most` are taken.
class Parameters {
public:
    static constexpr std::size_t most = 64;

    /// Wipes names and values: keys and passwords are among them.
    ~Parameters();
    Parameters() = default;
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    /// Of a query or form.
    void add(std::string_view query);
    /// One that is decoded already.
    void add(std::string name, std::string value);
    /// There were more than are taken; the others were not looked at.
    [[nodiscard]] bool too_many() const { return too_many_; }
    /// In their order.
    [[nodiscard]] std::span<const Parameter> all() const { return list_; }
    /// The first value of a name, in whatever case the name is written; null when there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const;

private:
    [[nodiscard]] bool has_room();

    std::vector<Parameter> list_;
    bool too_many_ = false;
};

/// More segments than any path of ours has are one too many.
constexpr std::size_t most_segments = 5;
/// The path of a target without its query, split at slashes; empty segments are left out, and so
/// are those past `most_segments`.
[[nodiscard]] std::vector<std::string_view> path_segments(std::string_view target);
/// What stands behind the first `?`.
[[nodiscard]] std::string_view query_of(std::string_view target);

}  // namespace sftdyn::protocol
