// SPDX-License-Identifier: GPL-3.0-or-later
// Starts threads where the system may refuse: a limit of the service (TasksMax=), or no memory for
// a stack, stops only the work that the thread was for.
#pragma once

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

/// Calls `work`. When it throws std::bad_alloc, that is logged, and the thread continues.
template <class Work>
void survive_no_memory(const Work& work) {
    try {
        work();
    } catch (const std::bad_alloc&) {
        say_no_memory();
    }
}

}  // namespace sftdyn::base
