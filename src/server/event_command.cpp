// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_command.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/system_error.hpp"
#include "platform/sandbox.hpp"
#include "server/event_helper.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

[[noreturn]] void be_helper(base::Descriptor socket, const EventCommandSettings& settings) {
    // Keeps only its end of the socket and the standard streams. Other descriptors, such as sockets
    // passed by systemd, are closed.
    const auto own = static_cast<unsigned>(socket.get());
    close_range(3, own - 1, 0);
    close_range(own + 1, ~0U, 0);
    // Ctrl-C in a terminal is for the program; the helper ends after it.
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_NAME, "sftdyn-events");
    if (const auto given_up = platform::drop_privileges(settings.user); given_up.has_error()) {
        log::critical("{}", given_up.error().text());
        _exit(1);
    }
    platform::enter_helper_sandbox(settings.landlock, settings.seccomp);
    EventHelper(std::move(socket), settings.command, settings.at_once, settings.time_limit).work();
}

}  // namespace

EventCommand::EventCommand(const EventCommandSettings& settings,
                           const std::function<void()>& forget)
    : name_(settings.command.empty() ? "" : settings.command.front()), at_once_(settings.at_once) {
    if (settings.command.empty()) return;
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        log::error("{}: the event command can't be run: {}", name_, base::system_error_text(errno));
        return;
    }
    base::Descriptor helpers(ends[0]), own(ends[1]);
    helper_ = fork();
    if (helper_ == 0) {
        forget();
        be_helper(std::move(helpers), settings);
    }
    if (helper_ < 0) {
        log::error("{}: the event command can't be run: {}", name_, base::system_error_text(errno));
        return;
    }
    socket_ = std::move(own);
}

EventCommand::~EventCommand() {
    if (!socket_) return;
    socket_.reset();
    waitpid(helper_, nullptr, 0);
}

}  // namespace sftdyn::server
