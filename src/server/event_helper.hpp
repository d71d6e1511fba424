// SPDX-License-Identifier: GPL-3.0-or-later
// The helper process, which runs the event command. It is forked before the program enters the
// sandbox, receives `EventMessage`s over a socket, and answers each with the outcome of the
// command.
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
#include "server/event_output.hpp"

namespace sftdyn::server {

/// One thread in its own process. It ends when the program ends, for whatever reason, and ends the
/// running commands: their process groups get SIGTERM, and SIGKILL a moment later.
class EventHelper {
public:
    /// `command` is the absolute path of the program, and its arguments. `at_once` is the maximum
    /// number of running commands; more messages wait in the socket.
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
    EventOutput output_{};
    std::vector<Running> running_{};
    bool over_ = false;
    bool refused_ = false;  ///< an invalid message was logged
};

}  // namespace sftdyn::server
