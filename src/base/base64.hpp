// SPDX-License-Identifier: GPL-3.0-or-later
// Base64 (RFC 4648 §4), for secrets: what is decoded is zeroized.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace sftdyn::base {

/// Whether it is Base64, with its padding, and not empty.
[[nodiscard]] bool is_base64(std::string_view text);
[[nodiscard]] std::string base64_encoded(std::span<const unsigned char> octets);
/// Nothing when it is none.
[[nodiscard]] std::optional<Secret> base64_decoded(std::string_view text);

}  // namespace sftdyn::base
