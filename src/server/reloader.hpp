// SPDX-License-Identifier: GPL-3.0-or-later
// Loads the configuration anew on a thread of its own: a large one takes seconds, and the engine
// must not wait for it.
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

/// A configuration, and what is made of its clients, who are no longer in its settings.
struct Reloaded {
    config::Loaded loaded{};
    Directory directory{};  ///< null: something is wrong, as `loaded` says
    std::size_t clients = 0;
    ConfiguredHosts hosts{};
};

/// Used on the thread of `io`.
class Reloader {
public:
    using Done = std::function<void(Reloaded)>;

    /// `done` is called on the thread of `io` after each load. What it works with outlives it.
    Reloader(boost::asio::io_context& io, const config::Load& load, update::HostTable& hosts,
             platform::SystemdNotifier& notifier, Done done)
        : io_(io), load_(load), hosts_(hosts), notifier_(notifier), done_(std::move(done)) {}
    /// Waits for the load that is under way.
    ~Reloader();
    Reloader(const Reloader&) = delete;
    Reloader& operator=(const Reloader&) = delete;

    /// While one is under way, one more follows it.
    void reload();

    /// On any thread, once nothing calls `reload` any more: whether the load that is under way ends
    /// by then.
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
