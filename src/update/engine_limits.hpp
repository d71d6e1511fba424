// SPDX-License-Identifier: GPL-3.0-or-later
// What bounds the engine: times, queues, messages, queries and the changes of each host.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace sftdyn::update {

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
    base::Duration changes_refill{};  ///< one more change each
};

}  // namespace sftdyn::update
