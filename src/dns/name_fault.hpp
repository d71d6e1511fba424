// SPDX-License-Identifier: GPL-3.0-or-later
// Explains why a text is not a domain name. Does not quote the text, which may be a misplaced
// secret.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::dns {

/// Why `Name::parse` or `Name::parse_host` rejects the text; empty: it is valid.
[[nodiscard]] std::string fault_of_name(std::string_view text);
[[nodiscard]] std::string fault_of_host(std::string_view text);

}  // namespace sftdyn::dns
