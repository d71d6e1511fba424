// SPDX-License-Identifier: GPL-3.0-or-later
// The process that runs the event command. It is forked before the program enters the sandbox,
// takes `EventMessage`s from it by a socket, and answers each with the outcome of the command.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "server/event.hpp"

namespace sftdyn::server {

/// One thread, in a process of its own. It ends when the program does, however that ends, and with
/// it the commands under way: their process groups get SIGTERM, and SIGKILL a moment later.
class EventHelper {
public:
    /// `command` is the program's whole path and its arguments. `at_once`: how many may run; more
    /// messages wait in the socket.
    EventHelper(base::Descriptor socket, std::vector<std::string> command, std::size_t at_once,
                base::Duration time_limit);

    [[noreturn]] void work();

private:
    struct Running {
        std::uint64_t id = 0;
        pid_t process = -1;  ///< and its process group
        base::TimePoint deadline{};
    };
    void read();
    void start(const EventMessage& message);
    void answer(std::uint64_t id, EventOutcome outcome, std::int32_t detail) const;
    void reap();
    void end();
    [[nodiscard]] int time_left() const;

    base::Descriptor socket_;
    std::vector<std::string> command_;
    std::size_t at_once_;
    base::Duration time_limit_;
    base::Descriptor child_signals_;  ///< signalfd(2) of SIGCHLD
    std::vector<Running> running_{};
    bool over_ = false;
    bool refused_ = false;  ///< a message that no sftdyn sends has been said
};

}  // namespace sftdyn::server
