// SPDX-License-Identifier: GPL-3.0-or-later
// Sends the changes of each zone in batches (group commit).
#pragma once

#include <memory>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// While an UPDATE is under way, what comes waits, and goes out as one message when the zone is
/// free. Each zone stays blocked while something there is in doubt. Owned by `Engine`; used on the
/// engine's thread.
class BatchSender {
public:
    explicit BatchSender(EngineParts& parts) : parts_(parts) {}

    /// Changes of one zone that are decided: the RRsets' queues hold them.
    void enqueue(ChangeGroup group) REQUIRES(engine_thread);
    /// Sends what may go out in the zone.
    void flush(ZoneIndex zone) REQUIRES(engine_thread);
    /// The zone's index; with the first the server is contacted about it.
    [[nodiscard]] ZoneIndex open_zone(const dns::Name& name) REQUIRES(engine_thread);
    /// Something that was in doubt in the zone is resolved: what waits for that goes on, if nothing
    /// else is.
    void resolved(ZoneIndex zone) REQUIRES(engine_thread);
    /// The server does not tell the outcome of an UPDATE, for a reason that would meet what waits
    /// for it too.
    void blocked(const dns::Name& zone, const dns::DnsError& failure) REQUIRES(engine_thread);

private:
    struct Batch;
    void send(ZoneIndex zone, std::vector<ChangeGroup> groups) REQUIRES(engine_thread);
    void answered(Batch& batch, const dns::Reply& reply) REQUIRES(engine_thread);
    std::vector<RrsetKey> take_dropped(std::vector<ChangeGroup>& batch) REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
