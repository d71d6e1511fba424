// SPDX-License-Identifier: GPL-3.0-or-later
// A secret string: it is zeroized when destroyed, and nothing prints it.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::base {

/// A value type. Each copy is zeroized by its destructor, before it is assigned to, and when it is
/// moved from.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { zeroize(); }

    /// The value itself, which the caller must not log.
    [[nodiscard]] std::string_view reveal() const { return value_; }
    [[nodiscard]] const char* c_str() const { return value_.c_str(); }
    [[nodiscard]] bool empty() const { return value_.empty(); }

private:
    void zeroize() noexcept;
    std::string value_;
};

/// The text with everything that it has in common with the secret replaced by "[hidden]": six
/// octets in a row, or all of a shorter secret. A secret of fewer than three octets is not
/// redacted.
[[nodiscard]] std::string redacted(std::string_view text, std::string_view secret);

/// Overwrites `text` with zeros and empties it.
void zeroize(std::string& text) noexcept;

}  // namespace sftdyn::base
