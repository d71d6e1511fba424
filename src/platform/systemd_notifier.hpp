// SPDX-License-Identifier: GPL-3.0-or-later
// What the program tells systemd (sd_notify(3)): that it serves, loads anew, ends, and is alive.
#pragma once

#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/descriptor.hpp"

namespace sftdyn::platform {

/// Does nothing unless systemd waits for it (Type=notify, $NOTIFY_SOCKET).
class SystemdNotifier {
public:
    /// Connects to systemd at once, since in the sandbox no socket can be had for it.
    explicit SystemdNotifier(boost::asio::io_context& io);

    /// It serves. From now on the watchdog is told twice in its interval, by the thread of `io`.
    void ready();
    void reloading();
    void stopping();

    /// That it tells systemd by; -1: none.
    [[nodiscard]] int socket() const { return socket_.get(); }

private:
    void tell(std::string_view state) const;
    void feed_watchdog();

    boost::asio::steady_timer timer_;
    base::Descriptor socket_;
    std::chrono::microseconds interval_{0};  ///< 0: no watchdog
};

}  // namespace sftdyn::platform
