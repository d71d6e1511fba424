// SPDX-License-Identifier: GPL-3.0-or-later
// A way of the log to systemd's journal. libsystemd is loaded only where standard error is the
// journal's.
#pragma once

#include <sys/uio.h>

#include <memory>

#include <spdlog/sinks/sink.h>

#include "base/log.hpp"

namespace sftdyn::base::log {

/// Null where standard error is not the journal's ($JOURNAL_STREAM), or libsystemd can't be loaded.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink();

/// sd_journal_sendv(3): `count` fields as NAME=VALUE; below 0 where they are not taken.
using SendToJournal = int (*)(const iovec* fields, int count);

/// One that sends lines and fields so; what is not taken goes to standard error.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink_to(SendToJournal send);

/// Whether standard error is the stream that systemd says is the journal's ($JOURNAL_STREAM).
[[nodiscard]] bool is_journal();

/// The fields of the event that this thread logs now; null: none.
extern thread_local const Fields* fields_now;

}  // namespace sftdyn::base::log
