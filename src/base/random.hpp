// SPDX-License-Identifier: GPL-3.0-or-later
// Unpredictable random numbers (message ids, hash seeds, demo keys). Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace sftdyn::base {

[[nodiscard]] std::uint16_t random_u16();
[[nodiscard]] std::uint64_t random_u64();
/// `bytes` random bytes in lower-case hexadecimal.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace sftdyn::base
