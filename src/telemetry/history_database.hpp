// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps the history of hosts in an SQLite database, over restarts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/log_throttle.hpp"
#include "base/mutex.hpp"
#include "base/result.hpp"
#include "telemetry/host_history.hpp"
#include "update/served_cache.hpp"

struct sqlite3;

namespace sftdyn::telemetry {

/// The database: a table `hosts` with a row for each host and family, and a table `events` of what
/// nobody could be told of any more when the last run ended.
class Database {
public:
    /// What a process in the sandbox can't do: loads SQLite, makes the file where there is none,
    /// and takes from group and others what they may do with one that is there (who checked in when
    /// is nobody's business). `open` does the same.
    [[nodiscard]] static base::Result<void> prepare_for_sandbox(const std::string& path);
    /// Opens the file, and makes it where there is none.
    static base::Result<std::unique_ptr<Database>> open(const std::string& path);

    /// Gives all rows to the history; those of hosts that have not checked in since `forget_before`
    /// are deleted.
    [[nodiscard]] base::Result<std::size_t> load(History& history, update::HostTable& hosts,
                                                 std::int64_t forget_before);
    /// All of it, or nothing.
    [[nodiscard]] base::Result<void> save(const History::Unsaved& unsaved,
                                          const update::HostTable& hosts);

    /// Changes and failures, in place of those that were kept before; all of them, or none.
    [[nodiscard]] base::Result<void> keep_events(const std::vector<HistoryEvent>& events,
                                                 const update::HostTable& hosts);
    /// What was kept, which then is not any more.
    [[nodiscard]] base::Result<std::vector<HistoryEvent>> take_events(update::HostTable& hosts);

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    Database(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}
    [[nodiscard]] base::Error error(const std::string& what) const;
    [[nodiscard]] base::Result<void> run(const char* sql);
    /// `work` says whether it was done; without that nothing is.
    [[nodiscard]] base::Result<void> in_transaction(const std::function<bool()>& work,
                                                    const char* failure);
    [[nodiscard]] bool remove(const std::vector<update::RrsetKey>& rrsets,
                              const update::HostTable& hosts);
    [[nodiscard]] bool write(const std::vector<History::Row>& rows, const update::HostTable& hosts);
    [[nodiscard]] bool write(const std::vector<HistoryEvent>& events,
                             const update::HostTable& hosts);

    std::string path_;
    std::unique_ptr<sqlite3, Close> database_;
};

/// A thread that saves what is new every ten seconds, and at the end. What can't be saved is said
/// in the log, and tried again. Where the system gives no thread, that is said, and it is saved at
/// the end only.
class Store {
public:
    Store(std::unique_ptr<Database> database, History& history, const update::HostTable& hosts);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Of what the next run is to tell; it is saved at the end.
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
    History::Unsaved failed_{};  ///< to be tried again; the thread's, as long as it is there
    std::optional<std::thread> thread_;
};

}  // namespace sftdyn::telemetry
