// SPDX-License-Identifier: GPL-3.0-or-later
// A row of the database of hosts as it is read: the file may be damaged, or another program's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dns/name.hpp"
#include "telemetry/host_history.hpp"

namespace sftdyn::telemetry {

/// A row as the database gives it: nothing of it is checked.
struct StoredRow {
    std::string host{}, type{}, address{}, outcome{};
    std::int64_t checked_in = 0, changed = 0;
    bool stale = false;  ///< it was told that the host is
};

/// A row that was found valid.
struct KnownHost {
    dns::Name name{};
    dns::Type type{};
    HostRecord record{};
};

/// None: a name that is none of a host's, a type that is neither A nor AAAA, an address of another
/// type (or with anything behind it), a time that is none (before 1970, after the year 9999), an
/// outcome that there is not.
[[nodiscard]] std::optional<KnownHost> read_row(const StoredRow& row);

/// An event as the database gives it: nothing of it is checked.
struct StoredEvent {
    std::string host{}, type{}, kind{}, address{}, old_address{};
    std::int64_t checked_in = 0;
};

/// An event that was found valid.
struct KnownEvent {
    dns::Name name{};
    dns::Type type{};
    HistoryEventKind kind{};
    boost::asio::ip::address address{}, before{};
    std::int64_t checked_in = 0;
};

/// None: as for a row; a kind that there is not.
[[nodiscard]] std::optional<KnownEvent> read_event(const StoredEvent& row);

}  // namespace sftdyn::telemetry
