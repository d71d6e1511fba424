// SPDX-License-Identifier: GPL-3.0-or-later
// The time without a check-in after which a host is stale. Values; shared data is immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::telemetry {

/// The stale times of hosts with a setting of their own, in seconds; 0: never stale.
using OwnStaleTimes =
    std::shared_ptr<const boost::unordered_flat_map<update::HostId, std::int64_t>>;

/// Rounds a time up to whole seconds, the unit of the history.
[[nodiscard]] inline std::int64_t stale_seconds(base::Duration time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

/// The time of the last check-in, in seconds since 1970, at or before which a host is stale.
class StaleSince {
public:
    /// No host is stale.
    static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

    // The same time for all hosts.
    StaleSince(std::int64_t since) : since_(since) {}  // NOLINT(google-explicit-constructor)
    /// For the time `now`: hosts are stale after `usual` seconds (0: never), or after their own
    /// time.
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
