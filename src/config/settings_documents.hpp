// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of the documents that are made of the schema: the tables of docs/configuration.md,
// packaging/sftdyn.toml, and the schema itself for tests. The program is not linked with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings_schema.hpp"

namespace sftdyn::config {

/// The settings that a row of the documentation is about.
[[nodiscard]] std::vector<const Setting*> settings_in(Section section, std::string_view names);

/// A section's settings as a Markdown table.
[[nodiscard]] std::string markdown_table(Section section);

/// The document with its tables made anew: each stands below a line `<!-- settings: SECTION -->`,
/// up to `<!-- end -->`. Throws std::runtime_error where a mark is not understood, or a section
/// has none.
[[nodiscard]] std::string with_tables(std::string_view document);

/// packaging/sftdyn.toml.
[[nodiscard]] std::string sample_file();

/// Each setting as an object of JSON, in a list.
[[nodiscard]] std::string schema_as_json();

}  // namespace sftdyn::config
