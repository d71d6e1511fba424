// SPDX-License-Identifier: GPL-3.0-or-later
// What the settings mean, in the words of the documents. The program is not linked with it.
#pragma once

#include <span>
#include <string_view>

#include "config/settings_schema.hpp"

namespace sftdyn::config {

/// A row of the documents' tables.
struct Documentation {
    Section section{};
    std::string_view names{};  ///< of one setting, or of several: "server, servers"
    /// The default, where the schema has none or another word is better; in Markdown. A {} is the
    /// schema's.
    std::string_view fallback{};
    std::string_view meaning{};  ///< Markdown in one line
};
/// In the documents' order.
[[nodiscard]] std::span<const Documentation> documentation();

/// A line of the sample file.
struct SampleLine {
    Section section{};
    std::string_view comment{};  ///< in front of it; empty: as the line before
    std::string_view name{};
    std::string_view value{};  ///< empty: the schema's default
    bool is_set = false;       ///< else it is commented out
};
/// In the file's order.
[[nodiscard]] std::span<const SampleLine> sample_lines();

}  // namespace sftdyn::config
