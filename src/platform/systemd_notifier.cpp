// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/systemd_notifier.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/number.hpp"
#include "base/system_error.hpp"
#include "base/unix_datagram.hpp"

namespace sftdyn::platform {
namespace {

constexpr auto retry_pause = std::chrono::milliseconds(100);
constexpr std::size_t most_untold = 8;
constexpr std::uint64_t longest_interval = 24ULL * 60 * 60 * 1'000'000;  // microseconds

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : value;
}

/// The watchdog's interval, as sd_watchdog_enabled(3) determines it; 0: none for this process.
std::chrono::microseconds watchdog_interval() {
    const auto process = variable("WATCHDOG_PID");
    if (!process.empty() && process != std::to_string(getpid())) return {};
    const auto interval = base::parse_number<std::uint64_t>(variable("WATCHDOG_USEC"));
    // Notifying systemd more often than it asks for is harmless.
    return std::chrono::microseconds(std::min(interval.value_or(0), longest_interval));
}

}  // namespace

SystemdNotifier::SystemdNotifier(boost::asio::io_context& io)
    : watchdog_timer_(io), retry_timer_(io) {
    const auto name = variable("NOTIFY_SOCKET");
    if (name.empty()) return;
    socket_ = base::connect_unix_datagram(name);
    if (!socket_) {
        base::log::error(
            "systemd waits for a notification of the start, but can't be reached at {}: {}", name,
            base::system_error_text(errno));
        return;
    }
    interval_ = watchdog_interval();
}

void SystemdNotifier::tell(std::string_view state) {
    if (!socket_) return;
    // The latest of a kind is enough.
    std::erase(untold_, state);
    untold_.emplace_back(state);
    if (untold_.size() == 1) send();
}

/// systemd that does not read must not stop the thread: it is told once it reads again.
void SystemdNotifier::send() {
    while (!untold_.empty()) {
        if (!base::send_datagram(socket_, untold_.front())) {
            if (errno == EAGAIN) break;
            base::log::warn("systemd could not be told: {}", base::system_error_text(errno));
        }
        untold_.pop_front();
    }
    if (untold_.empty()) return;
    while (untold_.size() > most_untold) untold_.pop_front();
    retry_timer_.expires_after(retry_pause);
    retry_timer_.async_wait([this](boost::system::error_code error) {
        if (!error) send();
    });
}

void SystemdNotifier::ready() {
    tell("READY=1");
    if (interval_.count() > 0) feed_watchdog();
}

void SystemdNotifier::reloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    tell(
        fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

void SystemdNotifier::stopping() { tell("STOPPING=1"); }

void SystemdNotifier::feed_watchdog() {
    tell("WATCHDOG=1");
    watchdog_timer_.expires_after(interval_ / 2);
    watchdog_timer_.async_wait([this](boost::system::error_code error) {
        if (!error) feed_watchdog();
    });
}

}  // namespace sftdyn::platform
