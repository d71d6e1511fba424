// SPDX-License-Identifier: GPL-3.0-or-later
// Generates the parts of the documents that come from the schema: the tables of
// docs/configuration.md, packaging/sftdyn.toml, and the schema as JSON for tests. The program is
// not linked with this file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings_schema.hpp"

namespace sftdyn::config {

/// The settings that a row of the documentation describes.
[[nodiscard]] std::vector<const Setting*> settings_in(Section section, std::string_view names);

/// A section's settings as a Markdown table.
[[nodiscard]] std::string markdown_table(Section section);

/// Returns the document with its tables regenerated. A table begins after the line
/// `<!-- settings: SECTION -->` and ends before `<!-- end -->`. Throws std::runtime_error when a
/// mark is invalid or a section has no table.
[[nodiscard]] std::string with_tables(std::string_view document);

/// The content of packaging/sftdyn.toml.
[[nodiscard]] std::string sample_file();

/// The schema as a JSON array with an object for each setting.
[[nodiscard]] std::string schema_as_json();

}  // namespace sftdyn::config
