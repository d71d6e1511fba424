// SPDX-License-Identifier: GPL-3.0-or-later
// Takes the plain lines out of the [clients] table of a TOML text, so that a million clients load
// in a second. The TOML library builds a tree of everything that it parses, which takes ten times
// as long and several hundred megabytes.
//
// A plain line is "key" = "host", with printable ASCII and no escapes, in the table [clients]. All
// other lines are left to the library, and so is all of a text that has multi-line strings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sftdyn::config {

/// A plain line. The views point into the text that was passed to `take_client_lines`.
struct ClientLine {
    std::string_view key, host;
    std::uint32_t line;        ///< from 1
    std::uint32_t key_column;  ///< of the key's quotation mark, from 1
    std::uint32_t host_column;
};

/// Calls `use` for each plain line, and returns the text without them. The other lines keep their
/// numbers.
[[nodiscard]] std::string take_client_lines(std::string_view text,
                                            const std::function<void(const ClientLine&)>& use);

}  // namespace sftdyn::config
