// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps the history of hosts in an SQLite database, across restarts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "telemetry/host_history.hpp"
#include "update/served_cache.hpp"

struct sqlite3;

namespace sftdyn::telemetry {

/// The database: a table `hosts` with a row for each host and family, and a table `events` of the
/// events that the last run could not report before it ended.
class Database {
public:
    /// Does what a process in the sandbox can't: loads SQLite, creates a missing file, and removes
    /// the permissions of group and others from an existing one (the times of check-ins are
    /// private). `open` does the same.
    [[nodiscard]] static base::Result<void> prepare_for_sandbox(const std::string& path);
    /// Opens the file, and creates it when it is missing.
    static base::Result<std::unique_ptr<Database>> open(const std::string& path);

    /// Loads all rows into the history, and returns their number. Rows of hosts that have not
    /// checked in since `forget_before` are deleted.
    [[nodiscard]] base::Result<std::size_t> load(History& history, update::HostTable& hosts,
                                                 std::int64_t forget_before);
    /// Saves all of the changes or none.
    [[nodiscard]] base::Result<void> save(const History::Unsaved& unsaved,
                                          const update::HostTable& hosts);

    /// Saves events of changes and failures for the next run, in place of earlier ones; all of them
    /// or none.
    [[nodiscard]] base::Result<void> keep_events(const std::vector<HistoryEvent>& events,
                                                 const update::HostTable& hosts);
    /// Returns the saved events, and deletes them.
    [[nodiscard]] base::Result<std::vector<HistoryEvent>> take_events(update::HostTable& hosts);

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    Database(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}
    [[nodiscard]] base::Error error(const std::string& what) const;
    [[nodiscard]] base::Result<void> check_schema() const;
    [[nodiscard]] base::Result<void> run(const char* sql);
    /// Runs `work` in a transaction. When `work` returns false, the transaction is rolled back, and
    /// the error says `failure`.
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

}  // namespace sftdyn::telemetry
