// SPDX-License-Identifier: GPL-3.0-or-later
// Tells from a zone's serial whether anything in the zone has changed.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "update/zone_stamp.hpp"

namespace sftdyn::update {

/// The answer to a SOA query.
struct SerialReading {
    std::uint32_t serial = 0;
    unsigned source = 0;  ///< the address of the server that has answered; see `ServedRecords`
    friend bool operator==(const SerialReading&, const SerialReading&) = default;
};

/// The last known serial of a zone (docs/engine.md, "The serial of a zone"). The time during which
/// readings return one serial is an epoch: the zone did not change in it. What was learned in the
/// epoch is still served whenever another reading returns the same serial. While an UPDATE of ours
/// may be carried out, and until the next reading, the epoch is suspended: what is learned then
/// does not belong to it. Owned by `ZoneQueue`; used on the engine's thread.
///
/// Invariant: while there is an epoch and it is not suspended, its serial was read from `source()`
/// by a query that was sent when no UPDATE of ours could be carried out, and none was sent since.
class ZoneSerial {
public:
    /// What other threads see of it. Without a stamp there are no epochs.
    void publish_to(ZoneStamp& stamp) { stamp_ = &stamp; }

    // Our own UPDATEs. An UPDATE may be carried out from when it is sent until it is resolved.
    void update_sent();
    void update_resolved();
    [[nodiscard]] unsigned unresolved() const { return unresolved_; }

    /// The servers have changed: there is no epoch, and a reading in progress does not count.
    void forget();

    // Readings, one at a time.
    /// Whether a query sent now may tell something.
    [[nodiscard]] bool may_read(base::TimePoint now) const {
        return stamp_ != nullptr && unresolved_ == 0 && now >= pause_until_;
    }
    void begin_reading(base::TimePoint sent);
    /// The reading is over. Returns true when it counts: then `mark()` is confirmed as of the time
    /// when it was sent. After a failure (no reading), no further one is made for a while.
    bool end_reading(const std::optional<SerialReading>& reading, base::TimePoint now);

    /// The epoch that a query's answer belongs to, if the query is sent now and `source()` answers
    /// it.
    [[nodiscard]] SerialMark mark() const {
        return is_suspended_ ? SerialMark() : SerialMark{stamp_, epoch_};
    }
    /// True: what is learned now belongs to no epoch.
    [[nodiscard]] bool is_suspended() const { return is_suspended_; }
    /// Whether the mark is of the last epoch. A reading may confirm it, even if it is suspended.
    [[nodiscard]] bool is_of_epoch(const SerialMark& mark) const {
        return anchor_ && mark == SerialMark{stamp_, epoch_};
    }
    /// Whether the mark is of the last epoch, which was confirmed later than `since`. An UPDATE of
    /// ours does not alter what was confirmed before it.
    [[nodiscard]] bool confirms(const SerialMark& mark, base::TimePoint since) const {
        return is_of_epoch(mark) && confirmed_at_ > since;
    }
    /// When the query that has confirmed the last epoch was sent.
    [[nodiscard]] base::TimePoint confirmed_at() const { return confirmed_at_; }
    [[nodiscard]] unsigned source() const { return anchor_ ? anchor_->source : 0; }

    /// Asserts the invariants.
    void check() const;

private:
    void suspend();

    ZoneStamp* stamp_ = nullptr;
    std::optional<SerialReading> anchor_;  ///< of the last epoch; nothing: there is none
    std::uint32_t epoch_ = 0;              ///< the number of the last epoch
    bool is_suspended_ = true;
    base::TimePoint confirmed_at_{};       ///< when the last query that has confirmed it was sent
    std::optional<base::TimePoint> sent_;  ///< of the reading in progress
    bool spoiled_ = false;                 ///< that reading does not count
    unsigned unresolved_ = 0;              ///< UPDATEs that may be carried out
    base::TimePoint pause_until_{};
};

}  // namespace sftdyn::update
