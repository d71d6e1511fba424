// SPDX-License-Identifier: GPL-3.0-or-later
// Notifies systemd of the program's state (sd_notify(3)): ready, reloading, stopping, alive.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/descriptor.hpp"

namespace sftdyn::platform {

/// Does nothing unless systemd expects notifications (Type=notify, $NOTIFY_SOCKET).
class SystemdNotifier {
public:
    /// Connects to systemd at once, since the sandbox allows no new Unix socket.
    explicit SystemdNotifier(boost::asio::io_context& io);
    SystemdNotifier(const SystemdNotifier&) = delete;
    SystemdNotifier& operator=(const SystemdNotifier&) = delete;

    /// Reports that the program serves. From then on the thread of `io` notifies the watchdog twice
    /// per interval.
    void ready();
    void reloading();
    void stopping();

    /// The socket for notifications; -1 without one.
    [[nodiscard]] int socket() const { return socket_.get(); }

private:
    void tell(std::string_view state);
    void send();
    void feed_watchdog();

    boost::asio::steady_timer watchdog_timer_, retry_timer_;
    std::deque<std::string> untold_{};  ///< what systemd's full queue did not take yet
    base::Descriptor socket_;
    std::chrono::microseconds interval_{0};  ///< 0: no watchdog
};

}  // namespace sftdyn::platform
