// SPDX-License-Identifier: GPL-3.0-or-later
// Parses numbers.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace sftdyn::base {

/// Parses the whole of `text` in digits of `base`; `nullopt` when it is not a number or does not
/// fit. No sign for unsigned numbers, no blanks, no prefix.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

}  // namespace sftdyn::base
