// SPDX-License-Identifier: GPL-3.0-or-later
// The clock for all time measurements. It is steady: setting the system's clock has no effect.
#pragma once

#include <chrono>

namespace sftdyn::base {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace sftdyn::base
