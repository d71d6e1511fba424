// SPDX-License-Identifier: GPL-3.0-or-later
// Queries the serials of zones, once for all desired records that wait for them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"

namespace sftdyn::update {

/// Decides whether what is known of an RRset is fresh enough for its first desired record, and lets
/// it wait for the serial of its zone if that may confirm it. All that wait in a zone share one SOA
/// query. A desired record waits once; then the RRset itself is queried if the serial has not
/// confirmed it. Owned by `Reconciler`; used on the engine's thread.
class SerialReader {
public:
    explicit SerialReader(EngineParts& parts) : parts_(parts) {}

    /// Whether what is known was true at a time that is recent enough.
    [[nodiscard]] bool is_fresh(const ZoneQueue& zone, const RrsetQueue& queue) const
        REQUIRES(engine_thread);
    /// Lets the first desired record wait if the serial may be of use. Then `Reconciler::advance`
    /// is called when it was read, or can't be read.
    [[nodiscard]] bool try_wait(ZoneIndex zone, const RrsetKey& rrset, RrsetQueue& queue)
        REQUIRES(engine_thread);

private:
    /// A desired record that waits, by its ticket.
    struct SerialWaiter {
        RrsetKey rrset;
        std::uint64_t ticket = 0;
    };
    /// The readings of one zone.
    struct ZoneReadings {
        bool under_way = false;
        std::optional<base::TimePoint> sent{};  ///< nothing: the query waits to be sent
        std::vector<SerialWaiter> waiting{};    ///< for the reading under way
        std::vector<SerialWaiter> next{};       ///< it was sent too early for them
    };
    void begin(ZoneIndex zone) REQUIRES(engine_thread);
    void ended(ZoneIndex zone, unsigned generation, const dns::DnsResult<SerialReading>& reading)
        REQUIRES(engine_thread);
    [[nodiscard]] RrsetQueue* queue_of(const SerialWaiter& waiter) REQUIRES(engine_thread);

    EngineParts& parts_;
    std::map<ZoneIndex, ZoneReadings> readings_;
};

}  // namespace sftdyn::update
