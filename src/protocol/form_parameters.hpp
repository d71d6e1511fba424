// SPDX-License-Identifier: GPL-3.0-or-later
// The parameters of a query or form, and the segments of a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sftdyn::protocol {

/// Percent-decodes `text` (RFC 3986 §2.1). An invalid encoding is left unchanged.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// name=value pairs as HTML forms send them: split at `&`, `+` is a space, then percent-decoded. At
/// most `most` are stored, since the client may not be authenticated yet.
class Parameters {
public:
    static constexpr std::size_t most = 64;

    /// Zeroizes the values, which may be passwords.
    ~Parameters();
    Parameters() = default;
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    void add(std::string_view query);
    /// Whether there were more than `most` parameters. The rest was not parsed.
    [[nodiscard]] bool too_many() const { return too_many_; }
    /// The first value of `name`, which is case-insensitive; null when there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    /// The value of the first of `names` that is present, even if it is empty; null when none is.
    [[nodiscard]] const std::string* find_any(std::initializer_list<std::string_view> names) const;

private:
    std::vector<std::pair<std::string, std::string>> pairs_;
    bool too_many_ = false;
};

/// One more than the longest path of any dialect has.
constexpr std::size_t most_segments = 5;
/// The path of a target without its query, split at slashes. Empty segments, and those beyond
/// `most_segments`, are left out.
[[nodiscard]] std::vector<std::string_view> path_segments(std::string_view target);
/// The query of a target: the part after the first `?`.
[[nodiscard]] std::string_view query_of(std::string_view target);

}  // namespace sftdyn::protocol
