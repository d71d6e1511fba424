// SPDX-License-Identifier: GPL-3.0-or-later
// What is wrong with a text that is no TOML, in words of our own.
//
// The library's description quotes the text, and a client's key may stand anywhere in it. Nothing
// of the description is handed on.
#pragma once

#include <string_view>

#include <toml++/toml.h>

#include "base/result.hpp"

namespace sftdyn::config {

/// Without a place: that is the error's source. `text` is what was parsed; it is looked at where
/// the error is, and not quoted.
[[nodiscard]] base::Error explain_syntax(const toml::parse_error& error, std::string_view text);

/// Whether the octets are UTF-16, or no text at all.
[[nodiscard]] bool is_utf16(std::string_view text);

}  // namespace sftdyn::config
