// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's thread, which runs the event loop of `Engine` and its backend.
#pragma once

#include "base/thread_role.hpp"

namespace sftdyn::update {

/// A process has one engine. The code that runs its event loop binds this role to the thread.
/// Before and after that, any thread may set up or destroy the engine; tests do so too.
inline base::ThreadRole engine_thread;

}  // namespace sftdyn::update
