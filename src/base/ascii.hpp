// SPDX-License-Identifier: GPL-3.0-or-later
// ASCII case folding, independent of the locale: for names of protocols, fields and algorithms.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace sftdyn::base {

[[nodiscard]] constexpr char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return ascii_lower(c); });
    return lower;
}

[[nodiscard]] inline bool ascii_iequals(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

}  // namespace sftdyn::base
