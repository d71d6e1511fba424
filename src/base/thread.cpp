// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/thread.hpp"

#include <new>
#include <string>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/log_throttle.hpp"
#include "base/system_error.hpp"

namespace sftdyn::base {

void say_no_thread(const std::error_code& error) {
    static LogThrottle failures([](const std::string& text) { log::error("{}", text); });
    failures.add("thread",
                 fmt::format("a thread can't be started: {}; look at the limits of the service "
                             "(TasksMax=, MemoryMax=, ulimit -u)",
                             system_error_text(error.value())),
                 Clock::now());
}

void say_no_memory() noexcept {
    static LogThrottle failures([](const std::string& text) { log::error("{}", text); });
    try {
        failures.add("memory",
                     "there was not enough memory for a task; look at MemoryMax= of "
                     "the service",
                     Clock::now());
    } catch (const std::bad_alloc&) {
        // No memory for the log line either.
    }
}

}  // namespace sftdyn::base
