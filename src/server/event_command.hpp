// SPDX-License-Identifier: GPL-3.0-or-later
// The event command's process: the program itself may start none once it is in the sandbox.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"

namespace sftdyn::server {

/// The command and its bounds, from `[admin]`.
struct EventCommandSettings {
    std::vector<std::string> command{};  ///< empty: there is none, and no helper
    std::size_t at_once{};
    base::Duration time_limit{};
    std::optional<std::string> user{};  ///< whom the helper becomes
    bool landlock{};
    bool seccomp{};
};

/// Owns the helper process and the socket to it.
class EventCommand {
public:
    /// To be made before there is a second thread, and before the process enters the sandbox. A
    /// failure is said in the log. The helper is a copy of this process: `forget` drops in it what
    /// it must not have.
    explicit EventCommand(
        const EventCommandSettings& settings, const std::function<void()>& forget = [] {});
    /// Ends the helper, and what it runs.
    ~EventCommand();
    EventCommand(const EventCommand&) = delete;
    EventCommand& operator=(const EventCommand&) = delete;

    /// Of type SOCK_SEQPACKET: `EventMessage`s there, `EventAnswer`s back. -1: there is no helper.
    [[nodiscard]] int socket() const { return socket_.get(); }
    [[nodiscard]] std::size_t at_once() const { return at_once_; }
    /// The command's path, for the log.
    [[nodiscard]] const std::string& name() const { return name_; }

private:
    std::string name_;
    std::size_t at_once_;
    base::Descriptor socket_{};
    pid_t helper_ = -1;
};

}  // namespace sftdyn::server
