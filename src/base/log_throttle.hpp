// SPDX-License-Identifier: GPL-3.0-or-later
// Logs the first warning or error of a kind, and counts the rest: a flood becomes a summary a
// minute later. Whatever a client can cause is logged through a throttle.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"

namespace sftdyn::base {

/// Thread-safe. In a window each kind is logged once, for up to `most_kinds` kinds; further kinds
/// are counted together. `summarise_all` logs the counts of all throttles; the program calls it
/// every few seconds.
class LogThrottle {
public:
    using Say = std::function<void(const std::string&)>;
    static constexpr std::size_t most_kinds = 100;
    static constexpr std::size_t most_fields = 64;

    /// `say` writes a line, and must not use this throttle. `window` is how long a kind stays
    /// silent after it was logged.
    explicit LogThrottle(Say say, Duration window = std::chrono::seconds(60));
    ~LogThrottle();
    LogThrottle(const LogThrottle&) = delete;
    LogThrottle& operator=(const LogThrottle&) = delete;

    /// Adds an error of `kind`. The first in a window is logged at once, with `text`. The summary
    /// of the others has the first line of the last one, and the journal fields (log::FieldScope)
    /// of all, up to `most_fields`. A search for a host in the journal therefore finds the line
    /// that counts its errors.
    void add(const std::string& kind, const std::string& text, TimePoint now);

    /// As `add`, for a text that is dear to make: `make_text` is called, without a lock, only for
    /// what is logged at once, and once in a window for the kinds that are counted together. What
    /// is counted costs no more than its kind. The summary has the first line of the first text.
    void add_lazily(const std::string& kind, const std::function<std::string()>& make_text,
                    TimePoint now);

    /// Logs the counts of windows that have ended.
    void summarise(TimePoint now);
    /// The same for every throttle of the process.
    static void summarise_all(TimePoint now);

    /// Logs all remaining counts (at the program's end).
    void finish();

private:
    struct Count {
        TimePoint until;
        std::uint64_t silent = 0;
        std::string last{};      ///< the first line of the last text that `add` has counted
        std::string first{};     ///< the first line of the text that `add_lazily` has made
        bool has_first = false;  ///< `first` is made, or is being made
        log::Fields fields{};    ///< of the counted errors, without duplicates
    };
    using Kinds = std::map<std::string, Count>;
    static void add_fields(log::Fields& target);
    [[nodiscard]] bool begin_locked(const std::string& kind, TimePoint now) REQUIRES(mutex_);
    [[nodiscard]] Count& count_locked(const std::string& kind, TimePoint now) REQUIRES(mutex_);
    void say_summary(const Count& count) const;
    void summarise_locked(TimePoint now) REQUIRES(mutex_);

    Say say_;
    Duration window_;
    Mutex mutex_;
    Kinds kinds_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::base
