// SPDX-License-Identifier: GPL-3.0-or-later
// What bounds the engine: times, queues, messages, queries and the changes of each host.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "dns/name.hpp"
#include "update/change_rates.hpp"

namespace sftdyn::update {

/// A time of its own for the hosts of a zone.
struct ZoneTimeout {
    dns::Name zone{};
    base::Duration timeout{};
};

/// The engine's limits. The configuration sets all of them but `batch_octets`.
struct EngineLimits {
    base::Duration timeout{};          ///< a desired record is answered within it
    base::Duration verify_interval{};  ///< how long a confirmed state is believed
    std::size_t queue{};               ///< desired records that may wait for one zone
    std::size_t batch{};               ///< changes in one UPDATE at the most
    std::size_t batch_octets =
        60000;                     ///< and their octets; a message holds 65535 (RFC 1035 §4.2.2)
    unsigned updates_in_flight{};  ///< UPDATEs per zone that may be under way at once
    unsigned queries_in_flight{};  ///< queries in all that may be under way at once
    unsigned changes_burst{};      ///< changes of a host at once; 0: no budget
    base::Duration changes_refill{};           ///< one more change each
    OwnChangeRates own_changes{};              ///< of hosts with others; null: there are none
    std::vector<ZoneTimeout> zone_timeouts{};  ///< in place of `timeout`: the longest zone's counts

    /// For a host, or a zone.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& name) const;
    /// The least of all.
    [[nodiscard]] base::Duration shortest_timeout() const;
    [[nodiscard]] ChangeRates change_rates() const {
        return {{changes_burst, changes_refill}, own_changes};
    }
};

}  // namespace sftdyn::update
