// SPDX-License-Identifier: GPL-3.0-or-later
// Desired records that leave their queues without having been served.
#pragma once

#include <optional>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// Ends desired records that can't be served: too late, no room, or a failure. The whole atomic
/// group goes where one of its members goes. Owned by `Reconciler`; used on the engine's thread.
class Withdrawals {
public:
    explicit Withdrawals(EngineParts& parts) : parts_(parts) {}

    /// Its deadline has passed: it fails, and so does its group.
    void expire(const RrsetKey& rrset, std::uint64_t ticket) REQUIRES(engine_thread);
    /// All that waits for the RRset fails, and so do the groups that it belongs to.
    void fail_all(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread);
    /// The host has just come to the zone: those of its desired records that came last are
    /// overloaded until no more wait there than `EngineLimits::queue`. Scripts are bounded by
    /// themselves.
    void enforce_queue_limit(HostId host, ZoneIndex zone) REQUIRES(engine_thread);

    /// Gives a desired record that has left its queue its outcome.
    static void tell(const RrsetQueue::Waiting& waiting, UpdateOutcome outcome);

private:
    struct Withdrawn {
        RrsetQueue::Waiting waiting;
        bool stopped;  ///< its RRset did nothing until this one went on
    };
    /// Nothing when it is not there any more.
    std::optional<Withdrawn> take(const RrsetKey& rrset, std::uint64_t ticket)
        REQUIRES(engine_thread);
    void end(const RrsetKey& rrset, const Withdrawn& withdrawn, UpdateOutcome outcome)
        REQUIRES(engine_thread);
    void end_group(const AtomicGroup& group, UpdateOutcome outcome) REQUIRES(engine_thread);
    [[nodiscard]] dns::DnsError why_late(ZoneIndex zone) const REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
