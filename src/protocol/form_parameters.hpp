// SPDX-License-Identifier: GPL-3.0-or-later
// Parses the parameters of a query or form, and the segments of a path.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sftdyn::protocol {

/// Decodes `%XX` (RFC 3986 §2.1). Invalid encodings are left unchanged.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// One parameter of a request.
struct Parameter {
    std::string name{};
    std::string value{};
    bool has_value = true;  ///< false: a name without `=`
};

/// Name=value pairs as in HTML forms: split at `&`, then `+` is decoded to a space, then `%XX`.
/// Stores at most `most`, because the client is not yet authenticated.
class Parameters {
public:
    static constexpr std::size_t most = 64;

    /// Zeroizes names and values, which include keys and passwords.
    ~Parameters();
    Parameters() = default;
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    /// Adds the parameters of a query or form.
    void add(std::string_view query);
    /// Adds a parameter that is already decoded.
    void add(std::string name, std::string value);
    /// Whether there were more than `most`; the others were not read.
    [[nodiscard]] bool too_many() const { return too_many_; }
    /// All parameters, in order.
    [[nodiscard]] std::span<const Parameter> all() const { return list_; }
    /// The first value of a name, which is compared without case; null: there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const;

private:
    [[nodiscard]] bool has_room();

    std::vector<Parameter> list_;
    bool too_many_ = false;
};

/// One more than the longest path of any dialect.
constexpr std::size_t most_segments = 5;
/// The path of a target without its query, split at slashes. Omits empty segments, and those past
/// `most_segments`.
[[nodiscard]] std::vector<std::string_view> path_segments(std::string_view target);
/// The part after the first `?`.
[[nodiscard]] std::string_view query_of(std::string_view target);

}  // namespace sftdyn::protocol
