// SPDX-License-Identifier: GPL-3.0-or-later
// How far two words are from each other, for "did you mean". Pure.
#pragma once

#include <string_view>

namespace sftdyn::base {

/// Whether `word` is a slip of the keyboard away from `ours`: at most two characters added, left
/// out, replaced, or swapped with their neighbours; one of a short word, none of a very short one.
[[nodiscard]] bool is_near(std::string_view word, std::string_view ours);

}  // namespace sftdyn::base
