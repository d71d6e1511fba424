// SPDX-License-Identifier: GPL-3.0-or-later
// Releases memory that only startup needed.
#pragma once

namespace sftdyn::platform {

/// Releases the resident pages of code: the parsers and checks of the configuration run only once.
/// Code that is called again is mapped again from the page cache, page by page. Thread-safe. On
/// failure the pages stay.
void release_startup_code() noexcept;

}  // namespace sftdyn::platform
