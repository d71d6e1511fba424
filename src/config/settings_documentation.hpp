// SPDX-License-Identifier: GPL-3.0-or-later
// The meaning of the settings, as the documents tell it. The program is not linked with this file.
#pragma once

#include <span>
#include <string_view>

#include "config/settings_schema.hpp"

namespace sftdyn::config {

/// A row of the documents' tables.
struct Documentation {
    Section section{};
    std::string_view names{};  ///< of one setting, or of several: "server, servers"
    /// The default in Markdown, when the schema has none or another wording is better. {} is
    /// replaced by the schema's default. Empty: the schema's default.
    std::string_view fallback{};
    std::string_view meaning{};  ///< one line of Markdown
};
/// In the documents' order.
[[nodiscard]] std::span<const Documentation> documentation();

/// A line of the sample file.
struct SampleLine {
    Section section{};
    std::string_view comment{};  ///< above the line; empty: none
    std::string_view name{};
    std::string_view value{};  ///< empty: the schema's default
    bool is_set = false;       ///< false: the line is commented out
};
/// In the file's order.
[[nodiscard]] std::span<const SampleLine> sample_lines();

}  // namespace sftdyn::config
