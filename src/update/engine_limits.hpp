// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's limits: timeouts, queues, messages, queries, and changes of each host.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "dns/name.hpp"
#include "update/change_rates.hpp"

namespace sftdyn::update {

/// A timeout for the hosts of one zone.
struct ZoneTimeout {
    dns::Name zone{};
    base::Duration timeout{};
};

/// The engine's limits. The configuration sets all of them but `batch_octets`.
struct EngineLimits {
    base::Duration timeout{};    ///< a desired record gets its outcome within this time
    base::Duration freshness{};  ///< how long before a request the state it relies on was confirmed
    bool follow_serial = false;  ///< the serial of a zone confirms its records
    std::size_t queue{};         ///< desired records that may wait for one zone
    std::size_t batch{};         ///< maximum number of changes in one UPDATE
    std::size_t batch_octets =
        60000;  ///< and of their octets; a message holds 65535 (RFC 1035 §4.2.2)
    unsigned updates_in_flight{};     ///< maximum number of UPDATEs in flight per zone
    unsigned queries_in_flight{};     ///< maximum number of queries in flight in total
    unsigned changes_burst{};         ///< changes that a host may make at once; 0: no limit
    bool read_back = false;           ///< confirmed changes are read back before OK is sent
    base::Duration changes_refill{};  ///< time after which one more change is allowed
    OwnChangeRates own_changes{};     ///< hosts with their own rate; null: none
    std::vector<ZoneTimeout> zone_timeouts{};  ///< in place of `timeout`, by longest zone

    /// The timeout of a host or a zone.
    [[nodiscard]] base::Duration timeout_of(const dns::Name& name) const;
    /// The shortest of all timeouts.
    [[nodiscard]] base::Duration shortest_timeout() const;
    [[nodiscard]] ChangeRates change_rates() const {
        return {{changes_burst, changes_refill}, own_changes};
    }
};

}  // namespace sftdyn::update
