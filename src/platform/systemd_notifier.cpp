// SPDX-License-Identifier: GPL-3.0-or-later
#include "platform/systemd_notifier.hpp"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/shared_library.hpp"

namespace sftdyn::platform {

SystemdNotifier::SystemdNotifier(boost::asio::io_context& io) : timer_(io) {
    if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
    base::SharedLibrary systemd("libsystemd.so.0");
    notify_ = systemd.function<std::remove_pointer_t<Notify>>("sd_notify");
    if (notify_ == nullptr) {
        base::log::error("systemd waits for word of the start, but libsystemd can't be loaded: {}",
                         systemd.error());
        return;
    }
    std::uint64_t interval = 0;
    const auto enabled = systemd.function<decltype(sd_watchdog_enabled)>("sd_watchdog_enabled");
    if (enabled != nullptr && enabled(0, &interval) > 0)
        interval_ = std::chrono::microseconds(interval);
}

void SystemdNotifier::tell(const std::string& state) const {
    if (notify_ == nullptr) return;
    if (const int rc = notify_(0, state.c_str()); rc < 0)
        base::log::warn("systemd could not be told: error {}", -rc);
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
    timer_.expires_after(interval_ / 2);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) feed_watchdog();
    });
}

}  // namespace sftdyn::platform
