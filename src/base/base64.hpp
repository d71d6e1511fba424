// SPDX-License-Identifier: GPL-3.0-or-later
// Base64 (RFC 4648 §4) for secrets: the decoded octets are zeroized when destroyed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace sftdyn::base {

/// Whether `text` is Base64 with padding, and not empty.
[[nodiscard]] bool is_base64(std::string_view text);
[[nodiscard]] std::string base64_encoded(std::span<const unsigned char> octets);
/// `nullopt` when `text` is not Base64.
[[nodiscard]] std::optional<Secret> base64_decoded(std::string_view text);

}  // namespace sftdyn::base
