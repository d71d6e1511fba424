// SPDX-License-Identifier: GPL-3.0-or-later
// A way of the log to systemd's journal. libsystemd is loaded only where standard error is the
// journal's.
#pragma once

#include <memory>

#include <spdlog/sinks/sink.h>

#include "base/log.hpp"

namespace sftdyn::base::log {

/// Null where standard error is not the journal's ($JOURNAL_STREAM), or libsystemd can't be loaded.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink();

/// Whether standard error is the stream that systemd says is the journal's ($JOURNAL_STREAM).
[[nodiscard]] bool is_journal();

/// The fields of the event that this thread logs now; null: none.
extern thread_local const Fields* fields_now;

}  // namespace sftdyn::base::log
