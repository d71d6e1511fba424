// SPDX-License-Identifier: GPL-3.0-or-later
// Reads rows of the database of hosts, which may be damaged or written by another program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dns/name.hpp"
#include "telemetry/host_history.hpp"

namespace sftdyn::telemetry {

/// A row as the database returns it, unchecked.
struct StoredRow {
    std::string host{}, type{}, address{}, outcome{};
    std::int64_t checked_in = 0, changed = 0;
    bool stale = false;  ///< it was reported that the host is stale
};

/// A valid row.
struct KnownHost {
    dns::Name name{};
    dns::Type type{};
    HostRecord record{};
};

/// `nullopt` when the row is invalid: the name can't be a host's, the type is neither A nor AAAA,
/// the address is of the other type (or has trailing text), a time is before 1970 or after the year
/// 9999, or the outcome is unknown.
[[nodiscard]] std::optional<KnownHost> read_row(const StoredRow& row);

/// An event as the database returns it, unchecked.
struct StoredEvent {
    std::string host{}, type{}, kind{}, address{}, old_address{};
    std::int64_t checked_in = 0;
};

/// A valid event.
struct KnownEvent {
    dns::Name name{};
    dns::Type type{};
    HistoryEventKind kind{};
    boost::asio::ip::address address{}, before{};
    std::int64_t checked_in = 0;
};

/// `nullopt` when the event is invalid: as for a row, or its kind is unknown.
[[nodiscard]] std::optional<KnownEvent> read_event(const StoredEvent& row);

}  // namespace sftdyn::telemetry
