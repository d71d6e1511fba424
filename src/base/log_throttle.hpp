// SPDX-License-Identifier: GPL-3.0-or-later
// Says the first of a kind of warning or error, and counts the rest: a flood becomes a summary a
// minute later. Whatever a client can bring about is said by one of these.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"

namespace sftdyn::base {

/// Thread-safe. In a window each kind is said once, and at most `most_kinds` kinds are: those that
/// come after are counted together. `summarise_all` says the counts of all that there are; the
/// program calls it each few seconds.
class LogThrottle {
public:
    using Say = std::function<void(const std::string&)>;
    static constexpr std::size_t most_kinds = 100;
    static constexpr std::size_t most_fields = 64;

    /// `say` writes a line, and adds nothing here; `window` is how long a kind stays silent after
    /// it was said.
    explicit LogThrottle(Say say, Duration window = std::chrono::seconds(60));
    ~LogThrottle();
    LogThrottle(const LogThrottle&) = delete;
    LogThrottle& operator=(const LogThrottle&) = delete;

    /// One more error of `kind`. The first of a window is said at once, with `text`; of the others
    /// the last one's first line, with the journal's fields of all (log::FieldScope): who looks for
    /// a host there finds the line that counts it, up to `most_fields` of them.
    void add(const std::string& kind, const std::string& text, TimePoint now);

    /// Says what was counted in windows that have ended.
    void summarise(TimePoint now);
    /// The same for every one that there is in the process.
    static void summarise_all(TimePoint now);

    /// Says everything that is still only counted (at the program's end).
    void finish();

private:
    struct Count {
        TimePoint until;
        std::uint64_t silent = 0;
        std::string last{};
        log::Fields fields{};  ///< of those that were counted, each once
    };
    using Kinds = std::map<std::string, Count>;
    static void add_fields(log::Fields& target);
    void say_summary(const Count& count) const;
    void summarise_locked(TimePoint now) REQUIRES(mutex_);

    Say say_;
    Duration window_;
    Mutex mutex_;
    Kinds kinds_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::base
