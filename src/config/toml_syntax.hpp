// SPDX-License-Identifier: GPL-3.0-or-later
// Explains TOML syntax errors without quoting the text.
//
// The library's description of an error quotes the text, which may contain a client's key. No part
// of the description is passed on.
#pragma once

#include <string_view>

#include <toml++/toml.h>

#include "base/result.hpp"

namespace sftdyn::config {

/// Explains `error`. `text` is the parsed text; it is examined at the position of the error, and
/// not quoted. The result has no position (`where`): the caller has it from `error`.
[[nodiscard]] base::Error explain_syntax(const toml::parse_error& error, std::string_view text);

/// Whether the octets look like UTF-16, or like binary data.
[[nodiscard]] bool is_utf16(std::string_view text);

}  // namespace sftdyn::config
