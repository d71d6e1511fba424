// SPDX-License-Identifier: GPL-3.0-or-later
// Writes the log to systemd's journal by its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/sinks/sink.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"

namespace sftdyn::base::log {

/// Null when standard error is not connected to the journal ($JOURNAL_STREAM), or when the socket
/// at `path` can't be connected.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink(
    std::string_view path = "/run/systemd/journal/socket");

/// A sink that sends lines and fields on `socket`, which is connected. What the socket does not
/// accept goes to standard error.
[[nodiscard]] std::shared_ptr<spdlog::sinks::sink> journal_sink_to(Descriptor socket);

/// The socket of the last sink that `journal_sink` returned; -1 when there is none.
[[nodiscard]] int journal_socket();

/// Appends a field in the format of the protocol.
void append_journal_field(std::string& out, std::string_view name, std::string_view value);

/// Whether standard error is connected to the journal, as $JOURNAL_STREAM says.
[[nodiscard]] bool is_journal();

/// The fields of the event that this thread is logging; null when there are none.
extern thread_local const Fields* fields_now;

}  // namespace sftdyn::base::log
