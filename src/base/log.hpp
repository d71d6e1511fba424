// SPDX-License-Identifier: GPL-3.0-or-later
// The program's log: one line an event, on standard error; under systemd straight to the journal,
// with fields. Secrets never reach it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace sftdyn::base::log {

/// How much is said: 0 warnings (the default), 1 info, 2 and more debug; -1 errors only, -2 nothing
/// but fatal ones. `developer` adds microseconds, thread and level to each line, and implies debug.
void start(int verbosity, bool developer);
/// The same for a log that has started, whoever writes to it meanwhile.
void adjust(int verbosity, bool developer);

using spdlog::critical;
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

/// Whether that is said at all.
[[nodiscard]] inline bool says(spdlog::level::level_enum level) {
    return spdlog::should_log(level);
}

/// A field of the journal (systemd.journal-fields(7)): capital letters and `_`, and its value.
using Fields = std::vector<std::pair<const char*, std::string>>;
/// While it lives, what this thread logs has these fields in the journal, and what it gives a
/// LogThrottle, which may be said later. The innermost counts. Used on one thread.
class FieldScope {
public:
    explicit FieldScope(Fields fields);
    ~FieldScope();
    FieldScope(const FieldScope&) = delete;
    FieldScope& operator=(const FieldScope&) = delete;

private:
    const Fields fields_;
    const Fields* const outer_;
};
/// A line with fields for the journal; elsewhere the line alone.
void event(spdlog::level::level_enum level, const std::string& text, const Fields& fields);

/// Text that came from outside, with control characters and non-ASCII bytes escaped, so that it
/// can't forge a line.
[[nodiscard]] std::string printable(std::string_view text);

/// What a terminal is told, whatever went into it: control characters (C0 but line end and tab,
/// DEL, C1), what turns the direction of text or ends a line elsewhere, and octets that are no
/// UTF-8 are escaped; further lines are indented, so that none looks like a message of its own.
/// Every line of the log goes through it.
[[nodiscard]] std::string terminal_safe(std::string_view text);

}  // namespace sftdyn::base::log
