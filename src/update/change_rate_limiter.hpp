// SPDX-License-Identifier: GPL-3.0-or-later
// Limits how often each host may change, with one token bucket per host.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "update/change_rates.hpp"

namespace sftdyn::update {

/// Owned by the engine, and used on its thread. Stores only hosts whose budgets are not full.
class ChangeRateLimiter {
public:
    /// A host may make as many changes at once as its rate's burst, and one more after each refill.
    explicit ChangeRateLimiter(ChangeRates rates) : rates_(std::move(rates)) {}

    /// Takes one change from the host's budget. When the budget is empty, returns how long until
    /// the next change is allowed.
    [[nodiscard]] std::optional<base::Duration> spend(HostId host, base::TimePoint now);
    /// Returns a change that was not carried out to the host's budget.
    void refund(HostId host, base::TimePoint now);
    /// Forgets the hosts whose budgets are full again.
    void sweep(base::TimePoint now);
    /// Hosts whose rate differs from before start with a full budget.
    void set(ChangeRates rates);

    [[nodiscard]] std::size_t size() const { return full_at_.size(); }

private:
    ChangeRates rates_;
    // The bucket as a time (GCRA): it is full again at `full_at`, and empty when that is a burst's
    // worth of refills ahead.
    boost::unordered_flat_map<HostId, base::TimePoint> full_at_;
};

}  // namespace sftdyn::update
