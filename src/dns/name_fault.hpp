// SPDX-License-Identifier: GPL-3.0-or-later
// Why a text is no domain name, without a word of the text: it may be a secret in the wrong place.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::dns {

/// Why `Name::parse`, or `Name::parse_host`, refuses the text; empty: it does not.
[[nodiscard]] std::string fault_of_name(std::string_view text);
[[nodiscard]] std::string fault_of_host(std::string_view text);

}  // namespace sftdyn::dns
