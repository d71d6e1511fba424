// SPDX-License-Identifier: GPL-3.0-or-later
// Takes the plain lines out of a TOML text's [clients] table, so that a million of them load in a
// second: the TOML library builds a tree of all it reads, which takes ten times as long and several
// hundred megabytes.
//
// A plain line is "key" = "host", with printable ASCII and no escapes, in a table headed [clients].
// What is not plain is left to the library; a text with multi-line strings is left to it whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sftdyn::config {

/// A plain line. The views are valid during the call of `use`.
struct ClientLine {
    std::string_view key, host;
    std::uint32_t line;        ///< from 1
    std::uint32_t key_column;  ///< of the key's quotation mark, from 1
    std::uint32_t host_column;
};

/// Calls `use` for each plain line, and returns the text without them: what stands in it stands in
/// the same line.
[[nodiscard]] std::string take_client_lines(std::string_view text,
                                            const std::function<void(const ClientLine&)>& use);

}  // namespace sftdyn::config
