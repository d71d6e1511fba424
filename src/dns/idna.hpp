// SPDX-License-Identifier: GPL-3.0-or-later
// Names with other letters than ASCII's, and the form that the DNS has of them (IDNA 2008, RFC
// 5891, as UTS 46 reads what people type). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sftdyn::dns {

/// The xn-- form of a name in UTF-8; a name in ASCII comes back as it is. The error does not quote
/// the text.
[[nodiscard]] base::Result<std::string> idna_form(std::string_view text);

/// The name as a person reads it, in UTF-8; the text itself where it has no such form.
[[nodiscard]] std::string idna_shown(const std::string& text);

}  // namespace sftdyn::dns
