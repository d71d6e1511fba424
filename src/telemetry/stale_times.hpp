// SPDX-License-Identifier: GPL-3.0-or-later
// After which time without a check-in a host is stale. Values; what they share is immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// Of hosts that have a time of their own: in seconds; 0: never.
using OwnStaleTimes =
    std::shared_ptr<const boost::unordered_flat_map<update::HostId, std::int64_t>>;

/// As the history counts: in whole seconds, rounded up.
[[nodiscard]] inline std::int64_t stale_seconds(base::Duration time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

/// Since when a host is stale that has not checked in: seconds since 1970.
class StaleSince {
public:
    /// Nobody is.
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    // A time is one for all.
    StaleSince(std::int64_t since) : since_(since) {}  // NOLINT(google-explicit-constructor)
    /// At `now`, after `usual` seconds (0: never) or a host's own.
    StaleSince(std::int64_t now, std::int64_t usual, OwnStaleTimes own)
        : since_(since(now, usual)), now_(now), own_(std::move(own)) {}

    [[nodiscard]] std::int64_t of(update::HostId host) const {
        if (!own_) return since_;
        const auto found = own_->find(host);
        return found == own_->end() ? since_ : since(now_, found->second);
    }

private:
    static std::int64_t since(std::int64_t now, std::int64_t seconds) {
        return seconds == 0 ? never : now - seconds;
    }

    std::int64_t since_;
    std::int64_t now_ = 0;
    OwnStaleTimes own_{};
};

}  // namespace sftdyn::telemetry
