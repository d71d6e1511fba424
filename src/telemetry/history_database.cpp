// SPDX-License-Identifier: GPL-3.0-or-later
#include "telemetry/history_database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/shared_library.hpp"
#include "base/system_error.hpp"
#include "base/thread.hpp"
#include "telemetry/stored_row.hpp"

namespace sftdyn::telemetry {
namespace {

constexpr unsigned most_rows = 10'000'000;  // more than there are hosts that can be served
constexpr int busy_milliseconds = 2000;
constexpr const char* lost_with_the_process =
    "hosts are still served, but their history is lost when the process ends";
constexpr const char* unusable = "the database of hosts can't be used";
constexpr const char* make_events =
    "CREATE TABLE IF NOT EXISTS events (host TEXT NOT NULL, type TEXT NOT NULL, kind TEXT NOT "
    "NULL, "
    "address TEXT, old_address TEXT, checked_in INTEGER, PRIMARY KEY (host, type, kind)) WITHOUT "
    "ROWID";
constexpr const char* make_hosts =
    "CREATE TABLE IF NOT EXISTS hosts (host TEXT NOT NULL, type TEXT NOT NULL, address TEXT, "
    "checked_in INTEGER, changed INTEGER, "
    "outcome TEXT, stale INTEGER, PRIMARY KEY (host, type)) WITHOUT ROWID";

/// SQLite's functions. The library is loaded only when hosts are remembered, since it costs memory.
struct Sqlite {
    decltype(&sqlite3_open_v2) open_v2 = nullptr;
    decltype(&sqlite3_close) close = nullptr;
    decltype(&sqlite3_errmsg) errmsg = nullptr;
    decltype(&sqlite3_busy_timeout) busy_timeout = nullptr;
    decltype(&sqlite3_exec) exec = nullptr;
    decltype(&sqlite3_prepare_v2) prepare_v2 = nullptr;
    decltype(&sqlite3_step) step = nullptr;
    decltype(&sqlite3_reset) reset = nullptr;
    decltype(&sqlite3_finalize) finalize = nullptr;
    decltype(&sqlite3_bind_text) bind_text = nullptr;
    decltype(&sqlite3_bind_int64) bind_int64 = nullptr;
    decltype(&sqlite3_column_text) column_text = nullptr;
    decltype(&sqlite3_column_bytes) column_bytes = nullptr;
    decltype(&sqlite3_column_int) column_int = nullptr;
    decltype(&sqlite3_column_int64) column_int64 = nullptr;
    bool loaded = false;

    Sqlite() {
        base::SharedLibrary library("libsqlite3.so.0");
        loaded = library.is_loaded();
        const auto load = [&](const char* name, auto& function) {
            using Pointer = std::remove_reference_t<decltype(function)>;
            function = library.function<std::remove_pointer_t<Pointer>>(name);
            loaded = loaded && function != nullptr;
        };
        load("sqlite3_open_v2", open_v2);
        load("sqlite3_close", close);
        load("sqlite3_errmsg", errmsg);
        load("sqlite3_busy_timeout", busy_timeout);
        load("sqlite3_exec", exec);
        load("sqlite3_prepare_v2", prepare_v2);
        load("sqlite3_step", step);
        load("sqlite3_reset", reset);
        load("sqlite3_finalize", finalize);
        load("sqlite3_bind_text", bind_text);
        load("sqlite3_bind_int64", bind_int64);
        load("sqlite3_column_text", column_text);
        load("sqlite3_column_bytes", column_bytes);
        load("sqlite3_column_int", column_int);
        load("sqlite3_column_int64", column_int64);
    }
};

const Sqlite& sqlite() {
    static const Sqlite functions;
    return functions;
}

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite().finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(sqlite3* database, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite().prepare_v2(database, sql, -1, &statement, nullptr);
    return Statement(statement);
}

std::string text_at(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite().column_text(statement, column));
    return text == nullptr
               ? std::string()
               : std::string(text,
                             static_cast<std::size_t>(sqlite().column_bytes(statement, column)));
}

/// Binds the values of a statement's parameters, in order. Texts must outlive the next `run`.
class Values {
public:
    explicit Values(sqlite3_stmt* statement) : statement_(statement) {}
    void add(const std::string& text) {
        sqlite().bind_text(statement_, ++last_, text.c_str(), -1, SQLITE_STATIC);
    }
    void add(std::string&& text) = delete;  // it would not outlive the statement
    void add(const char* text) { sqlite().bind_text(statement_, ++last_, text, -1, SQLITE_STATIC); }
    void add(std::int64_t number) { sqlite().bind_int64(statement_, ++last_, number); }
    [[nodiscard]] bool run() {
        last_ = 0;
        return sqlite().step(statement_) == SQLITE_DONE && sqlite().reset(statement_) == SQLITE_OK;
    }

private:
    sqlite3_stmt* statement_;
    int last_ = 0;
};

std::string address_text(const boost::asio::ip::address& address) {
    return address.is_unspecified() ? std::string() : address.to_string();
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite().close(database); }

base::Error Database::error(const std::string& what) const {
    return {fmt::format("{}: {}", what, sqlite().errmsg(database_.get())), path_,
            lost_with_the_process};
}

base::Result<void> Database::run(const char* sql) {
    if (sqlite().exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return error(unusable);
    return {};
}

base::Result<void> Database::prepare_for_sandbox(const std::string& path) {
    static_cast<void>(sqlite());  // `open` reports a failure to load it
    constexpr mode_t owners = S_IRUSR | S_IWUSR;
    const auto failed = [&path] {
        return base::Error{
            fmt::format("the database of hosts can't be made: {}", base::system_error_text(errno)),
            path, lost_with_the_process};
    };
    // A journal is left by a process that ended during a transaction. SQLite creates new ones with
    // the mode of the database.
    for (const auto& [file, make] : {std::pair(path, O_CREAT), std::pair(path + "-journal", 0)}) {
        const base::Descriptor descriptor(::open(
            file.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | make, owners));
        if (!descriptor && make == 0 && errno == ENOENT) continue;
        if (!descriptor) return failed();
        struct stat status {};
        const bool good = fstat(descriptor.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                          ((status.st_mode & 07777U) == owners || status.st_uid != geteuid() ||
                           fchmod(descriptor.get(), owners) == 0);
        if (!good) return failed();
    }
    return {};
}

base::Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
    if (!sqlite().loaded)
        return base::Error{
            "SQLite (libsqlite3.so.0) can't be loaded", path,
            "install libsqlite3-0; hosts are still served, but their history is not kept"};
    if (auto prepared = prepare_for_sandbox(path); prepared.has_error()) return prepared.error();
    sqlite3* raw = nullptr;
    // SQLite follows no link in the whole path; only the file itself must be none.
    std::error_code lost;
    const auto folder = std::filesystem::canonical(std::filesystem::path(path).parent_path(), lost);
    const std::string real =
        lost ? path : (folder / std::filesystem::path(path).filename()).string();
    const int status =
        sqlite().open_v2(real.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, nullptr);
    std::unique_ptr<Database> database(new Database(path, raw));
    if (status != SQLITE_OK) return database->error(unusable);
    sqlite().busy_timeout(raw, busy_milliseconds);
    // The journal is truncated, not removed, so that it keeps its mode. A crash may lose the last
    // ten seconds. A damaged file must be replaced by hand, which loses only history.
    for (const char* sql :
         {"PRAGMA journal_mode = TRUNCATE", "PRAGMA synchronous = NORMAL",
          "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -256", make_hosts, make_events}) {
        if (auto result = database->run(sql); result.has_error()) return result.error();
    }
    if (auto own = database->check_schema(); own.has_error()) return own.error();
    return database;
}

/// A file of another's making may hold views, triggers and tables that run for ever or yield rows
/// without end: it holds our two tables, as we make them, and nothing else.
base::Result<void> Database::check_schema() const {
    const auto as_stored = [](std::string_view sql) {
        constexpr std::string_view if_not_exists = "IF NOT EXISTS ";
        std::string text(sql);
        return text.erase(text.find(if_not_exists), if_not_exists.size());
    };
    const auto statement = prepare(database_.get(), "SELECT sql FROM sqlite_schema LIMIT 3");
    if (!statement) return error("the database of hosts can't be used");
    int status = SQLITE_ROW;
    while ((status = sqlite().step(statement.get())) == SQLITE_ROW) {
        const std::string sql = text_at(statement.get(), 0);
        if (sql != as_stored(make_hosts) && sql != as_stored(make_events))
            return base::Error{"the database of hosts has tables that sftdyn did not make", path_,
                               "move it away: sftdyn makes a new one, and the history of hosts "
                               "begins anew"};
    }
    if (status != SQLITE_DONE) return error("the database of hosts can't be used");
    return {};
}

base::Result<std::size_t> Database::load(History& history, update::HostTable& hosts,
                                         std::int64_t forget_before) {
    if (auto result =
            run(fmt::format("DELETE FROM hosts WHERE checked_in < {}", forget_before).c_str());
        result.has_error())
        return result.error();
    const auto statement =
        prepare(database_.get(),
                fmt::format("SELECT host, type, address, checked_in, changed, outcome, stale FROM "
                            "hosts LIMIT {}",
                            most_rows)
                    .c_str());
    if (!statement) return error("the hosts can't be read");
    std::size_t count = 0, bad = 0;
    int status = SQLITE_ROW;
    while ((status = sqlite().step(statement.get())) == SQLITE_ROW) {
        const auto at = [&statement](int column) { return text_at(statement.get(), column); };
        const auto host =
            read_row({at(0), at(1), at(2), at(5), sqlite().column_int64(statement.get(), 3),
                      sqlite().column_int64(statement.get(), 4),
                      sqlite().column_int(statement.get(), 6) != 0});
        if (!host) {
            ++bad;
            continue;
        }
        history.restore({hosts.number(host->name), host->type}, host->record);
        ++count;
    }
    if (bad > 0) base::log::warn("{}: {} rows are invalid, and are ignored", path_, bad);
    if (status != SQLITE_DONE) return error("the hosts can't be read");
    return count;
}

base::Result<void> Database::in_transaction(const std::function<bool()>& work,
                                            const char* failure) {
    if (auto result = run("BEGIN IMMEDIATE"); result.has_error()) return result;
    const auto roll_back = [this] {
        // The first error is the one to tell.
        sqlite().exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    };
    try {
        auto result = work() ? run("COMMIT") : error(failure);
        if (result.has_error()) roll_back();
        return result;
    } catch (const std::bad_alloc&) {
        roll_back();
        throw;
    }
}

base::Result<void> Database::save(const History::Unsaved& unsaved, const update::HostTable& hosts) {
    return in_transaction(
        [&] { return remove(unsaved.forgotten, hosts) && write(unsaved.rows, hosts); },
        "the hosts can't be saved");
}

bool Database::remove(const std::vector<update::RrsetKey>& rrsets, const update::HostTable& hosts) {
    const auto statement =
        prepare(database_.get(), "DELETE FROM hosts WHERE host = ? AND type = ?");
    if (!statement) return false;
    Values values(statement.get());
    return std::all_of(rrsets.begin(), rrsets.end(), [&](const update::RrsetKey& rrset) {
        const std::string host = hosts.name(rrset.host).text();
        const std::string type = dns::type_text(rrset.type);
        values.add(host);
        values.add(type);
        return values.run();
    });
}

bool Database::write(const std::vector<History::Row>& rows, const update::HostTable& hosts) {
    const auto statement =
        prepare(database_.get(), "INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?)");
    if (!statement) return false;
    Values values(statement.get());
    return std::all_of(rows.begin(), rows.end(), [&](const History::Row& row) {
        const auto& [rrset, record] = row;
        const std::string host = hosts.name(rrset.host).text();
        const std::string type = dns::type_text(rrset.type);
        const std::string address = address_text(record.address);
        values.add(host);
        values.add(type);
        values.add(address);
        values.add(record.checked_in);
        values.add(record.changed);
        values.add(text_of(record.outcome));
        values.add(std::int64_t{record.stale_told ? 1 : 0});
        return values.run();
    });
}

bool Database::write(const std::vector<HistoryEvent>& events, const update::HostTable& hosts) {
    const auto statement =
        prepare(database_.get(), "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)");
    if (!statement) return false;
    Values values(statement.get());
    return std::all_of(events.begin(), events.end(), [&](const HistoryEvent& event) {
        const std::string host = hosts.name(event.rrset.host).text();
        const std::string address = address_text(event.now.address);
        const std::string type = dns::type_text(event.rrset.type);
        const std::string before = address_text(event.before);
        values.add(host);
        values.add(type);
        values.add(text_of(event.kind));
        values.add(address);
        values.add(before);
        values.add(event.now.checked_in);
        return values.run();
    });
}

base::Result<void> Database::keep_events(const std::vector<HistoryEvent>& events,
                                         const update::HostTable& hosts) {
    return in_transaction(
        [&] { return !run("DELETE FROM events").has_error() && write(events, hosts); },
        "the pending events can't be saved");
}

base::Result<std::vector<HistoryEvent>> Database::take_events(update::HostTable& hosts) {
    constexpr const char* failure = "the pending events can't be read";
    std::vector<HistoryEvent> out;
    const auto statement = prepare(
        database_.get(), "SELECT host, type, kind, address, old_address, checked_in FROM events");
    if (!statement) return error(failure);
    int status = SQLITE_ROW;
    while ((status = sqlite().step(statement.get())) == SQLITE_ROW) {
        const auto at = [&statement](int column) { return text_at(statement.get(), column); };
        const auto event = read_event(
            {at(0), at(1), at(2), at(3), at(4), sqlite().column_int64(statement.get(), 5)});
        if (!event) continue;  // an invalid event is not reported
        out.push_back({event->kind, {hosts.number(event->name), event->type}, {}, event->before});
        out.back().now.address = event->address;
        out.back().now.checked_in = event->checked_in;
    }
    if (status != SQLITE_DONE) return error(failure);
    sqlite().reset(statement.get());
    // Deleted before they are reported: after a crash an event is lost rather than reported twice.
    if (auto result = run("DELETE FROM events"); result.has_error()) return result.error();
    return out;
}

}  // namespace sftdyn::telemetry
