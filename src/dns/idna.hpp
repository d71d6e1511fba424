// SPDX-License-Identifier: GPL-3.0-or-later
// Converts internationalized names (IDNA 2008, RFC 5891, with the mapping of UTS 46). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sftdyn::dns {

/// Converts a name in UTF-8 to its A-labels (`xn--`). A name in ASCII is returned unchanged. The
/// error does not quote the text.
[[nodiscard]] base::Result<std::string> idna_form(std::string_view text);

/// The name with U-labels, in UTF-8, for display; the text itself if it can't be converted.
[[nodiscard]] std::string idna_shown(const std::string& text);

}  // namespace sftdyn::dns
