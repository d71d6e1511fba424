// SPDX-License-Identifier: GPL-3.0-or-later
// A string that must not be seen: it is zeroized when dropped, and nothing prints it.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::base {

/// A value: each copy is zeroized by its own destructor, and so is one that is assigned to or moved
/// from.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { zeroize(); }

    /// The value itself; whoever asks must not log it.
    [[nodiscard]] std::string_view reveal() const { return value_; }
    [[nodiscard]] const char* c_str() const { return value_.c_str(); }
    [[nodiscard]] bool empty() const { return value_.empty(); }

private:
    void zeroize() noexcept;
    std::string value_;
};

/// The text with what it has in common with the secret, six octets in a row or all of a shorter
/// one, as
/// "[hidden]". One of less than three octets is no secret.
[[nodiscard]] std::string redacted(std::string_view text, std::string_view secret);

/// Overwrites `text` with zeros, and empties it.
void zeroize(std::string& text) noexcept;

}  // namespace sftdyn::base
