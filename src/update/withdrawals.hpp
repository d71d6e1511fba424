// SPDX-License-Identifier: GPL-3.0-or-later
// Removes desired records from their queues that can't be served.
#pragma once

#include <optional>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// Ends desired records because of a deadline, a full queue, or a failure. If one member of an
/// atomic group ends, the whole group ends. Owned by `Reconciler`; used on the engine's thread.
class Withdrawals {
public:
    explicit Withdrawals(EngineParts& parts) : parts_(parts) {}

    /// The deadline of the desired record has passed: it fails, and so does its group.
    void expire(const RrsetKey& rrset, std::uint64_t ticket) REQUIRES(engine_thread);
    /// Fails everything that waits for the RRset, and the groups of those desired records.
    void fail_all(const RrsetKey& rrset, const dns::DnsError& failure) REQUIRES(engine_thread);
    /// To be called when the zone of the host was found. While more desired records wait in the
    /// zone than `EngineLimits::queue`, the host's latest ones end as overloaded. Scripts have
    /// their own limit.
    void enforce_queue_limit(HostId host, ZoneIndex zone) REQUIRES(engine_thread);

    /// Reports the outcome of a desired record that has left its queue.
    static void tell(const RrsetQueue::Waiting& waiting, UpdateOutcome outcome);

private:
    struct Withdrawn {
        RrsetQueue::Waiting waiting;
        bool stopped;  ///< its RRset was waiting for this desired record alone
    };
    /// Absent: the desired record is no longer there.
    std::optional<Withdrawn> take(const RrsetKey& rrset, std::uint64_t ticket)
        REQUIRES(engine_thread);
    void end(const RrsetKey& rrset, const Withdrawn& withdrawn, UpdateOutcome outcome)
        REQUIRES(engine_thread);
    void end_group(const AtomicGroup& group, UpdateOutcome outcome) REQUIRES(engine_thread);
    [[nodiscard]] dns::DnsError why_late(ZoneIndex zone) const REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
