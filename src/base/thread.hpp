// SPDX-License-Identifier: GPL-3.0-or-later
// Starts threads where the system may refuse: a limit of the service (TasksMax=), or no memory for
// a stack, stops only the work that the thread was for.
#pragma once

#include <chrono>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace sftdyn::base {

/// Logs, at most once a minute, that a thread could not be started. Thread-safe.
void say_no_thread(const std::error_code& error);

/// Starts a thread that runs `body`. `nullopt` and a log line when the system refuses
/// (pthread_create(3)). Thread-safe.
template <class Body>
[[nodiscard]] std::optional<std::thread> start_thread(Body body) {
    try {
        return std::thread(std::move(body));
    } catch (const std::system_error& error) {
        say_no_thread(error.code());
        return std::nullopt;
    }
}

/// Logs, at most once a minute, that there was no memory for something. Thread-safe.
void say_no_memory() noexcept;

/// Calls `work`. When it throws std::bad_alloc, that is logged, and the thread continues. Returns
/// whether `work` returned.
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

/// Calls `work` until it returns without std::bad_alloc. It must be safe to call again.
template <class Work>
void insist(const Work& work) {
    while (!survive_no_memory(work)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

}  // namespace sftdyn::base
