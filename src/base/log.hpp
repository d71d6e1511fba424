// SPDX-License-Identifier: GPL-3.0-or-later
// The program's log: one line per event, on standard error; under systemd directly to the journal,
// with fields. It never contains secrets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/log_format.hpp"

namespace sftdyn::base::log {

/// Starts the log. `verbosity`: 0 warnings (the default), 1 info, 2 and above debug; -1 errors
/// only, -2 fatal errors only. `developer` adds microseconds, thread and level to each line, and
/// implies debug.
void start(int verbosity, bool developer);
/// Changes these settings of a started log, while other threads may write to it.
void adjust(int verbosity, bool developer);

/// Sets the form of the lines on standard error; initially text. The journal has a form of its own.
/// Called before there is a second thread.
void use_format(Format format);
/// The form of the lines that this process writes: text when they go to the journal.
[[nodiscard]] Format format_now();

/// Writes a line of another program's output, at the level of information whatever the verbosity.
void pass_on(std::string_view line);

using spdlog::critical;
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

/// Whether messages of this level are written.
[[nodiscard]] inline bool says(spdlog::level::level_enum level) {
    return spdlog::should_log(level);
}

/// Fields of the journal (systemd.journal-fields(7)): a name of capital letters and `_`, and its
/// value.
using Fields = std::vector<std::pair<const char*, std::string>>;
/// While it lives, what this thread logs has these fields in the journal; so has the later summary
/// of what this thread adds to a LogThrottle. The innermost scope applies. Used on one thread.
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
/// Logs a line; in the journal it has the fields.
void event(spdlog::level::level_enum level, const std::string& text, const Fields& fields);

/// Untrusted text with control characters, backslashes and non-ASCII octets escaped, so that it
/// can't forge a line.
[[nodiscard]] std::string printable(std::string_view text);

/// Text that is safe on a terminal. Escaped are control characters (C0 except line feed and tab,
/// DEL, C1), characters that change the text direction or that end a line elsewhere, and octets
/// that are not UTF-8. Continuation lines are indented, so that none looks like a message of its
/// own. Applied to every line of the log.
[[nodiscard]] std::string terminal_safe(std::string_view text);

}  // namespace sftdyn::base::log
