// SPDX-License-Identifier: GPL-3.0-or-later
// Memory that only the start needed.
#pragma once

namespace sftdyn::platform {

/// Gives back the pages of code that are in memory: parsers and checks of the configuration ran
/// once. What is called again is mapped again from the page cache, page by page. Thread-safe;
/// nothing fails, at worst the pages stay.
void release_startup_code() noexcept;

}  // namespace sftdyn::platform
