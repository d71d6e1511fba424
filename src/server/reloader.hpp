// SPDX-License-Identifier: GPL-3.0-or-later
// Reloads the configuration on its own thread: a large one takes seconds, and the engine must not
// be blocked.
#pragma once

#include <functional>
#include <future>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/clock.hpp"
#include "config/load.hpp"
#include "platform/systemd_notifier.hpp"
#include "server/wiring.hpp"

namespace sftdyn::server {

/// A configuration, and the tables that were made of its clients, which are removed from the
/// settings.
struct Reloaded {
    config::Loaded loaded{};
    Directory directory{};  ///< null: the configuration has errors, which are in `loaded`
    std::size_t clients = 0;
    ConfiguredHosts hosts{};
};

/// Used on the thread of `io`.
class Reloader {
public:
    using Done = std::function<void(Reloaded)>;

    /// `done` is called on the thread of `io` after each load. The arguments outlive it.
    Reloader(boost::asio::io_context& io, const config::Load& load, update::HostTable& hosts,
             platform::SystemdNotifier& notifier, Done done)
        : io_(io), load_(load), hosts_(hosts), notifier_(notifier), done_(std::move(done)) {}
    /// Waits for a load in progress.
    ~Reloader();
    Reloader(const Reloader&) = delete;
    Reloader& operator=(const Reloader&) = delete;

    /// Starts a load. During a load, one more follows it.
    void reload();

    /// Waits for a load in progress until the deadline; true: it has ended. On any thread, when
    /// `reload` is no longer called.
    [[nodiscard]] bool ends_by(base::TimePoint deadline) const;

private:
    [[nodiscard]] const char* load(Reloaded& result) const;
    [[nodiscard]] Reloaded try_load() const;
    void loaded(Reloaded result);

    boost::asio::io_context& io_;
    const config::Load& load_;
    update::HostTable& hosts_;
    platform::SystemdNotifier& notifier_;
    Done done_;
    bool is_loading_ = false;
    bool is_wanted_again_ = false;
    std::thread thread_;
    std::future<void> ended_;
};

}  // namespace sftdyn::server
