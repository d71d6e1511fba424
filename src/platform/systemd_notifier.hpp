// SPDX-License-Identifier: GPL-3.0-or-later
// What the program tells systemd (sd_notify(3)): that it serves, loads anew, ends, and is alive.
#pragma once

#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace sftdyn::platform {

/// Does nothing unless systemd waits for it (Type=notify). libsystemd is loaded only then.
class SystemdNotifier {
public:
    explicit SystemdNotifier(boost::asio::io_context& io);

    /// It serves. From now on the watchdog is told twice in its interval, by the thread of `io`.
    void ready();
    void reloading();
    void stopping();

private:
    using Notify = int (*)(int, const char*);
    void tell(const std::string& state) const;
    void feed_watchdog();

    boost::asio::steady_timer timer_;
    Notify notify_ = nullptr;
    std::chrono::microseconds interval_{0};  ///< 0: no watchdog
};

}  // namespace sftdyn::platform
