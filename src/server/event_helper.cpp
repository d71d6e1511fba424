// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/event_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/log.hpp"

namespace sftdyn::server {
namespace {

// The time between SIGTERM and SIGKILL after the program has ended.
constexpr auto grace = std::chrono::milliseconds(200);

sigset_t child_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return set;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

/// Runs in the child: executes the command, or reports the error. `output`: what the command writes
/// goes there; -1: to the program's own streams.
[[noreturn]] void become_command(std::vector<std::string>& command,
                                 std::vector<std::string>& environment, pid_t helper, int output,
                                 int error_to) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != helper) _exit(1);  // the helper has died before prctl
    for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (output >= 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
    }

    const auto words = pointers_to(command), variables = pointers_to(environment);
    execve(words.front(), words.data(), variables.data());
    const int error = errno;
    // A failed write can't be reported; the parent then takes the end of file for a successful
    // start.
    [[maybe_unused]] const ssize_t written = write(error_to, &error, sizeof error);
    _exit(127);
}

}  // namespace

EventHelper::EventHelper(base::Descriptor socket, std::vector<std::string> command,
                         std::size_t at_once, base::Duration time_limit)
    : socket_(std::move(socket)),
      command_(std::move(command)),
      at_once_(at_once),
      time_limit_(time_limit) {
    const sigset_t set = child_signal();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    child_signals_ = base::Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

void EventHelper::work() {
    while (!over_) {
        const bool full = running_.size() >= at_once_;
        std::array<pollfd, 3> wait{pollfd{socket_.get(), static_cast<short>(full ? 0 : POLLIN), 0},
                                   pollfd{child_signals_.get(), POLLIN, 0},
                                   pollfd{output_.read_end(), POLLIN, 0}};
        if (poll(wait.data(), wait.size(), time_left()) < 0 && errno != EINTR) break;
        // The other end is closed: messages that wait in the socket are not handled.
        if ((wait[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;
        if ((wait[0].revents & POLLIN) != 0) read();
        if ((wait[2].revents & POLLIN) != 0) output_.read();
        reap();
    }
    end();
    output_.finish();
    _exit(0);
}

/// Milliseconds until the next command must be killed; -1: none is running.
int EventHelper::time_left() const {
    if (running_.empty()) return -1;
    const auto first = std::min_element(
        running_.begin(), running_.end(),
        [](const Running& a, const Running& b) { return a.deadline < b.deadline; });
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(first->deadline - base::Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void EventHelper::read() {
    std::array<char, EventMessage::size + 1>
        octets{};  // a longer message is truncated, and rejected for its size
    const ssize_t size = recv(socket_.get(), octets.data(), octets.size(), 0);
    if (size < 0 && errno == EINTR) return;
    if (size < 0) over_ = true;
    if (size < 0) return;
    const auto message = EventMessage::read({octets.data(), static_cast<std::size_t>(size)});
    if (message) return start(*message);
    if (!std::exchange(refused_, true))
        base::log::error("the event command's helper refused an invalid message");
}

void EventHelper::start(const EventMessage& message) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return answer(message.id, EventOutcome::not_run, errno);
    const base::Descriptor error_from(ends[0]);
    base::Descriptor error_to(ends[1]);
    auto environment = environment_of(message.event);
    const pid_t helper = getpid();
    const pid_t process = fork();
    if (process == 0)
        become_command(command_, environment, helper, output_.write_end(), error_to.get());
    int error = process < 0 ? errno : 0;
    error_to.reset();
    if (process > 0 && ::read(error_from.get(), &error, sizeof error) == sizeof error) {
        waitpid(process, nullptr, 0);
    } else if (process > 0) {
        error = 0;  // end of file: execve(2) has closed the pipe
    }
    if (error != 0) return answer(message.id, EventOutcome::not_run, error);
    running_.push_back({message.id, process, base::Clock::now() + time_limit_});
}

void EventHelper::answer(std::uint64_t id, EventOutcome outcome, std::int32_t detail) const {
    const auto octets = EventAnswer{id, outcome, detail}.write();
    // The program always reads its answers. If this fails, the program is ending, which the next
    // poll shows.
    [[maybe_unused]] const ssize_t sent =
        send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
}

void EventHelper::reap() {
    signalfd_siginfo signal{};
    while (::read(child_signals_.get(), &signal, sizeof signal) > 0) {
    }
    const auto now = base::Clock::now();
    std::erase_if(running_, [&](const Running& command) {
        int status = 0;
        if (waitpid(command.process, &status, WNOHANG) == command.process) {
            answer(command.id, WIFSIGNALED(status) ? EventOutcome::signalled : EventOutcome::exited,
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            return true;
        }
        if (command.deadline > now) return false;
        kill(-command.process, SIGKILL);
        waitpid(command.process, &status, 0);
        answer(command.id, EventOutcome::timed_out, 0);
        return true;
    });
}

void EventHelper::end() {
    for (const Running& command : running_) kill(-command.process, SIGTERM);
    const auto deadline = base::Clock::now() + grace;
    while (!running_.empty() && base::Clock::now() < deadline) {
        std::erase_if(running_, [](const Running& command) {
            if (waitpid(command.process, nullptr, WNOHANG) == 0) return false;
            kill(-command.process, SIGKILL);  // processes that it has started
            return true;
        });
        if (!running_.empty()) poll(nullptr, 0, 10);
    }
    for (const Running& command : running_) {
        kill(-command.process, SIGKILL);
        waitpid(command.process, nullptr, 0);
    }
}

}  // namespace sftdyn::server
