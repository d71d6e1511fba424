// SPDX-License-Identifier: GPL-3.0-or-later
// The log's way to systemd's journal, by its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/sinks/sink.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"

namespace sftdyn::base::log {

/// Null where standard error is not the journal's ($JOURNAL_STREAM), or the journal can't be
/// connected to at `path`.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink(
    std::string_view path = "/run/systemd/journal/socket");

/// One that sends lines and fields by `socket`, which is connected; what is not taken goes to
/// standard error.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink_to(Descriptor socket);

/// The socket of the last `journal_sink` that was not null; -1: there was none.
[[nodiscard]] int journal_socket();

/// Appends a field as the protocol has it.
void append_journal_field(std::string& out, std::string_view name, std::string_view value);

/// Whether standard error is the stream that systemd says is the journal's ($JOURNAL_STREAM).
[[nodiscard]] bool is_journal();

/// The fields of the event that this thread logs now; null: none.
extern thread_local const Fields* fields_now;

}  // namespace sftdyn::base::log
