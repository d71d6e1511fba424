// SPDX-License-Identifier: GPL-3.0-or-later
// How often a host may change: a token bucket each.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "update/change_rates.hpp"

namespace sftdyn::update {

/// Owned by the engine, and used on its thread. It remembers only hosts whose budgets are not full.
class ChangeRateLimiter {
public:
    /// A host may change as often at once as its rate's burst says, and once more each refill.
    explicit ChangeRateLimiter(ChangeRates rates) : rates_(std::move(rates)) {}

    /// Takes one change from the host's budget: nothing when it was there, else how long until
    /// there is one.
    [[nodiscard]] std::optional<base::Duration> spend(HostId host, base::TimePoint now);
    /// Gives a change back that did not come about.
    void refund(HostId host, base::TimePoint now);
    /// Forgets the hosts whose budgets are full again.
    void sweep(base::TimePoint now);
    /// The budget of a host whose rate is another now is full.
    void set(ChangeRates rates);

    [[nodiscard]] std::size_t size() const { return full_at_.size(); }

private:
    ChangeRates rates_;
    // The bucket as a time (GCRA): it is full again at `full_at`, and empty when that is a burst's
    // worth of refills ahead.
    boost::unordered_flat_map<HostId, base::TimePoint> full_at_;
};

}  // namespace sftdyn::update
