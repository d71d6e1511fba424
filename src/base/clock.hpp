// SPDX-License-Identifier: GPL-3.0-or-later
// Time as the program measures it: steady, so that a clock that is set changes nothing.
#pragma once

#include <chrono>

namespace sftdyn::base {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace sftdyn::base
