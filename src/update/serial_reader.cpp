// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/serial_reader.hpp"

#include <utility>

#include "update/reconciler.hpp"

namespace sftdyn::update {
namespace {

// The part of the timeout that a SOA query may take. The rest is left for the query of the record
// itself.
constexpr int serial_share = 4;

}  // namespace

bool SerialReader::is_fresh(const ZoneQueue& zone, const RrsetQueue& queue) const {
    if (!queue.served()) return false;
    if (queue.is_verified()) return true;
    const base::TimePoint since = parts_.fresh_since(zone.name(), queue.front().arrived);
    if (queue.served_at() > since) return true;
    return zone.serial().confirms(queue.mark(), since) &&
           queue.served_at() > since - ServedCache::longest_belief;
}

bool SerialReader::try_wait(ZoneIndex index, const RrsetKey& rrset, RrsetQueue& queue) {
    const ZoneQueue& zone = parts_.zones[index];
    const ZoneSerial& serial = zone.serial();
    const RrsetQueue::Waiting& first = queue.front();
    if (!parts_.limits.follow_serial || zone.is_in_doubt() || !serial.may_read(parts_.clock()))
        return false;
    const base::TimePoint since = parts_.fresh_since(zone.name(), first.arrived);
    // The serial may confirm what is known. While the epoch is suspended, the serial is read in any
    // case, so that what the record's query returns belongs to an epoch.
    const bool is_confirmable = queue.served() && serial.is_of_epoch(queue.mark()) &&
                                queue.served_at() > since - ServedCache::longest_belief;
    if (!is_confirmable && !serial.is_suspended()) return false;
    if (!queue.may_await_serial()) return false;
    queue.enter(RrsetState::confirming);
    ZoneReadings& readings = readings_[index];
    const bool is_too_early = readings.under_way && readings.sent && *readings.sent <= since;
    (is_too_early || !readings.under_way ? readings.next : readings.waiting)
        .push_back({rrset, first.ticket});
    if (!readings.under_way) begin(index);
    return true;
}

void SerialReader::begin(ZoneIndex index) {
    ZoneReadings& readings = readings_.at(index);
    readings.waiting = std::exchange(readings.next, {});
    readings.under_way = true;
    readings.sent.reset();
    parts_.queries.when_free([this, index] {
        engine_thread.assert_held();
        ZoneQueue& zone = parts_.zones[index];
        const base::TimePoint now = parts_.clock();
        readings_.at(index).sent = now;
        zone.serial().begin_reading(now);
        parts_.backend.read_serial(
            zone.name(), now + parts_.limits.timeout_of(zone.name()) / serial_share,
            [this, index,
             generation = parts_.generation](const dns::DnsResult<SerialReading>& reading) {
                engine_thread.assert_held();
                parts_.queries.done();
                ended(index, generation, reading);
            });
    });
}

/// The queue of the waiter's RRset; null: it no longer waits for this waiter.
RrsetQueue* SerialReader::queue_of(const SerialWaiter& waiter) {
    RrsetQueue* queue = parts_.rrsets.find(waiter.rrset);
    return queue != nullptr && queue->awaits_serial_for(waiter.ticket) ? queue : nullptr;
}

void SerialReader::ended(ZoneIndex index, unsigned generation,
                         const dns::DnsResult<SerialReading>& reading) {
    ZoneReadings& readings = readings_.at(index);
    readings.under_way = false;
    const std::vector<SerialWaiter> waiting = std::exchange(readings.waiting, {});
    ZoneSerial& serial = parts_.zones[index].serial();
    std::optional<SerialReading> read;
    if (reading.has_value() && generation == parts_.generation) read = *reading;
    if (serial.end_reading(read, parts_.clock())) {
        // All are confirmed before any continues: its change would suspend the epoch.
        for (const SerialWaiter& waiter : waiting) {
            RrsetQueue* queue = queue_of(waiter);
            if (queue != nullptr && queue->served() && serial.is_of_epoch(queue->mark()))
                queue->confirm_served(serial.confirmed_at());
        }
    }
    if (!readings.next.empty()) begin(index);
    for (const SerialWaiter& waiter : waiting) {
        if (queue_of(waiter) != nullptr) parts_.reconciler.advance(waiter.rrset);
    }
}

}  // namespace sftdyn::update
