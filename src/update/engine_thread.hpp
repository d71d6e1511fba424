// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's thread: the one that runs the event loop of `Engine` and of its backend.
#pragma once

#include "base/thread_role.hpp"

namespace sftdyn::update {

/// A process has one engine. Who runs its event loop binds the role to the thread; before, and
/// after, any thread may set the engine up or take it apart, and so may tests.
inline base::ThreadRole engine_thread;

}  // namespace sftdyn::update
