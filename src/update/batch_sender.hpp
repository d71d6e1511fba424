// SPDX-License-Identifier: GPL-3.0-or-later
// Sends the changes of each zone in batches (group commit).
#pragma once

#include <memory>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// While an UPDATE of a zone is in flight, new changes of the zone wait; they are sent as one
/// message when the zone is free. A zone is blocked while an UPDATE there is in doubt. Owned by
/// `Engine`; used on the engine's thread.
class BatchSender {
public:
    explicit BatchSender(EngineParts& parts) : parts_(parts) {}

    /// Adds decided changes of one zone. The changes themselves are in the RRsets' queues.
    void enqueue(ChangeGroup group) REQUIRES(engine_thread);
    /// Sends the waiting changes of the zone, as far as the zone may send.
    void flush(ZoneIndex zone) REQUIRES(engine_thread);
    /// The zone's index. The first call for a zone begins the contact with its server
    /// (`Backend::contact`).
    [[nodiscard]] ZoneIndex open_zone(const dns::Name& name) REQUIRES(engine_thread);
    /// A doubt in the zone is resolved. If it was the last one, everything that waited for it goes
    /// on.
    void resolved(ZoneIndex zone) REQUIRES(engine_thread);
    /// Fails what waits in the zone: a fence query has failed, for a reason that applies to it too.
    void blocked(const dns::Name& zone, const dns::DnsError& failure) REQUIRES(engine_thread);

private:
    struct Batch;
    void send(ZoneIndex zone, std::vector<ChangeGroup> groups) REQUIRES(engine_thread);
    void answered(Batch& batch, const dns::Reply& reply) REQUIRES(engine_thread);
    std::vector<RrsetKey> take_dropped(std::vector<ChangeGroup>& batch) REQUIRES(engine_thread);

    EngineParts& parts_;
};

}  // namespace sftdyn::update
