// SPDX-License-Identifier: GPL-3.0-or-later
// Saves the history of hosts to its database, on a thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "telemetry/history_database.hpp"
#include "telemetry/host_history.hpp"

namespace sftdyn::telemetry {

/// A thread that saves changes every ten seconds, and at the end. A failure is logged, and saving
/// is tried again. When the system provides no thread, that is logged, and changes are saved only
/// at the end.
class Store {
public:
    Store(std::unique_ptr<Database> database, History& history, const update::HostTable& hosts);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Sets the events that the next run must report. They are saved on destruction.
    void keep_events(std::vector<HistoryEvent> events) { events_ = std::move(events); }

private:
    void work();
    void save();
    void save_events();

    std::unique_ptr<Database> database_;
    History& history_;
    const update::HostTable& hosts_;
    base::LogThrottle problems_;
    base::Mutex mutex_;
    base::Condition end_;
    bool ending_ GUARDED_BY(mutex_) = false;
    std::vector<HistoryEvent> events_{};
    std::optional<std::thread> thread_;
};

}  // namespace sftdyn::telemetry
