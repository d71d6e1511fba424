// SPDX-License-Identifier: GPL-3.0-or-later
// Threads where the system may have none: a limit of the service (TasksMax=), or no memory for a
// stack, ends nothing but the work that the thread was for.
#pragma once

#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace sftdyn::base {

/// Says in the log, once a minute, that a thread could not be started. Thread-safe.
void say_no_thread(const std::error_code& error);

/// A thread that runs `body`; none where the system gives none (pthread_create(3)), which is in the
/// log. Thread-safe.
template <class Body>
[[nodiscard]] std::optional<std::thread> start_thread(Body body) {
    try {
        return std::thread(std::move(body));
    } catch (const std::system_error& error) {
        say_no_thread(error.code());
        return std::nullopt;
    }
}

/// Says in the log, once a minute, that there was no memory for something. Thread-safe.
void say_no_memory() noexcept;

/// Does `work`, which a lack of memory may end: then that is in the log, and the thread goes on.
/// Whether all of it was done.
template <class Work>
bool survive_no_memory(const Work& work) {
    try {
        work();
        return true;
    } catch (const std::bad_alloc&) {
        say_no_memory();
        return false;
    }
}

/// Does `work` again and again until there is memory for all of it: it must do nothing twice.
template <class Work>
void insist(const Work& work) {
    while (!survive_no_memory(work)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

}  // namespace sftdyn::base
