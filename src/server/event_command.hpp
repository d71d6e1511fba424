// SPDX-License-Identifier: GPL-3.0-or-later
// Starts the helper process that runs the event command. The sandboxed program itself can't start
// processes.
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

/// The command and its limits, from `[admin]`.
struct EventCommandSettings {
    std::vector<std::string> command{};  ///< empty: no command, and no helper
    std::size_t at_once{};
    base::Duration time_limit{};
    std::optional<std::string> user{};  ///< the user that the helper runs as
    bool landlock{};
    bool seccomp{};
};

/// Owns the helper process and the socket to it.
class EventCommand {
public:
    /// To be constructed before a second thread is started, and before the process enters the
    /// sandbox. A failure is logged. The helper is forked from this process; in it, `forget`
    /// destroys data that it must not have.
    explicit EventCommand(
        const EventCommandSettings& settings, const std::function<void()>& forget = [] {});
    /// Ends the helper and its commands.
    ~EventCommand();
    EventCommand(const EventCommand&) = delete;
    EventCommand& operator=(const EventCommand&) = delete;

    /// The SOCK_SEQPACKET socket to the helper, for `EventMessage` and `EventAnswer`. -1: there is
    /// no helper.
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
