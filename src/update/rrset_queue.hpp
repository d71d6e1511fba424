// SPDX-License-Identifier: GPL-3.0-or-later
// The queue of desired records of one RRset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "dns/message.hpp"
#include "update/atomic_group.hpp"
#include "update/desired_record.hpp"
#include "update/zone_stamp.hpp"

namespace sftdyn::update {

/// The state of the first desired record of an RRset (docs/engine.md).
enum class RrsetState : std::uint8_t {
    idle,          ///< no operation is in progress: the first is handled now
    finding_zone,  ///< the host's zone is being looked up
    blocked,       ///< an UPDATE of the zone is in doubt, so served records can't be queried
    confirming,    ///< the zone's serial is being queried
    asking,        ///< the served records are being queried
    ready,         ///< waits for the others of its atomic group
    queued,        ///< its change waits in the zone's queue
    in_flight,     ///< its change was sent, or the script whose place is first is running
    reading_back,  ///< its change is confirmed, and the served records are being queried
    answering      ///< its outcome is being reported; the callback may submit again
};

/// The desired records in their order of arrival, and the state of the first: the state machine of
/// docs/engine.md. Owned by `RrsetTable`; used on the engine's thread.
class RrsetQueue {
public:
    /// A waiting desired record, or a script's place.
    struct Waiting {
        DesiredRecord desired;
        OnOutcome done;  ///< of a desired record without a group
        base::TimePoint arrived;
        base::TimePoint deadline;
        std::uint64_t ticket;
        AtomicGroupPtr group{};
        std::size_t index = 0;  ///< in `group`
    };

    [[nodiscard]] RrsetState state() const { return state_; }
    /// Changes the state. The state table must permit the transition.
    void enter(RrsetState next);
    [[nodiscard]] static bool may_follow(RrsetState from, RrsetState to);

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }
    [[nodiscard]] const Waiting& front() const { return waiting_.front(); }
    /// Tickets grow: the order of the queue is the order in which they were given.
    void push(Waiting waiting);
    [[nodiscard]] Waiting pop();
    /// Removes and returns the entry with the ticket, wherever it is in the queue; absent: it is
    /// not there.
    [[nodiscard]] std::optional<Waiting> take(std::uint64_t ticket);
    [[nodiscard]] std::vector<Waiting> take_all() { return std::move(waiting_); }
    /// The tickets of the waiting desired records, without scripts' places.
    [[nodiscard]] std::vector<std::uint64_t> desired_records() const;
    [[nodiscard]] bool is_first(std::uint64_t ticket) const {
        return !waiting_.empty() && front().ticket == ticket;
    }

    // The served records, as far as known.
    [[nodiscard]] const std::optional<ServedRecords>& served() const { return served_; }
    [[nodiscard]] base::TimePoint served_at() const { return served_at_; }
    /// The epoch that they were learned in.
    [[nodiscard]] const SerialMark& mark() const { return mark_; }
    /// They, or the zone's serial, were queried on behalf of the desired record that is first now:
    /// after it had come, and for none that was first before.
    [[nodiscard]] bool is_verified() const {
        return verified_at_ && !empty() && front().arrived <= *verified_at_;
    }
    /// They were served at some time after `at`. `mark` is that of the zone at that time.
    /// `verified`: they were queried then.
    void set_served(ServedRecords served, base::TimePoint at, bool verified, SerialMark mark = {});
    void forget_served();
    /// The zone's serial, which was queried at `at`, says that they are still served.
    void confirm_served(base::TimePoint at) { verified_at_ = at; }
    /// Returns true once for each desired record that is first: it may wait for the zone's serial.
    [[nodiscard]] bool may_await_serial() {
        return std::exchange(serial_awaited_for_, front().ticket) != front().ticket;
    }
    /// True while the desired record with this ticket, or what remains of it, awaits the serial.
    [[nodiscard]] bool awaits_serial_for(std::uint64_t ticket) const {
        return state_ == RrsetState::confirming && serial_awaited_for_ == ticket;
    }
    /// The next desired record must not count them as queried on its behalf.
    void end_verified() { verified_at_.reset(); }
    /// Something else may change the records: an answer that is still expected is not trusted.
    void invalidate();
    /// Whether `invalidate` was called since the query was sent. Resets the flag.
    [[nodiscard]] bool was_invalidated() { return std::exchange(invalidated_, false); }

    // The decision for the desired record that was first at that time.
    /// The change that was decided on, and whether the host has paid for it.
    struct Decision {
        std::uint64_t ticket = 0;  ///< of the desired record; 0: nothing was decided yet
        bool paid = false;         ///< the change was charged to the host's budget
        bool same = false;  ///< it changes nothing, and is sent along with the others of its group
        bool undone = false;  ///< the servers have changed since: it is decided again
        dns::Change change{};
        base::TimePoint sent_at{};          ///< when the change was sent
        std::vector<std::string> before{};  ///< record data that the change has replaced
    };
    [[nodiscard]] const Decision& decision() const { return decision_; }
    /// Begins a decision for the first desired record.
    void begin_decision() {
        decision_.ticket = front().ticket;
        decision_.undone = false;
    }
    /// Marks the decision as undone. Returns true, once, when it was for the desired record that is
    /// first now.
    [[nodiscard]] bool undo_decision() {
        return is_still_wanted() && !std::exchange(decision_.undone, true);
    }
    void set_cost(bool paid, bool same) {
        decision_.paid = paid;
        decision_.same = same;
    }
    void set_before(std::vector<std::string> before) { decision_.before = std::move(before); }
    /// Returns true once for each desired record that is first: its zone may be looked up again.
    [[nodiscard]] bool may_seek_zone() {
        return std::exchange(sought_for_, front().ticket) != front().ticket;
    }
    /// Sets the change of the first desired record, which then waits in the zone's queue.
    void queue_change(const dns::Name& owner);
    /// The change is sent now.
    void enter_flight(base::TimePoint now) {
        decision_.sent_at = now;
        enter(RrsetState::in_flight);
    }
    /// Returns true, once, when the change was charged to the host's budget.
    [[nodiscard]] bool take_payment() { return std::exchange(decision_.paid, false); }
    /// The change was carried out: the charge is not refunded.
    void keep_payment() { decision_.paid = false; }
    /// True while the desired record that the decision is for still waits.
    [[nodiscard]] bool is_still_wanted() const { return is_first(decision_.ticket); }

    /// Asserts the invariants.
    void check() const;

private:
    [[nodiscard]] bool is_awaiting_answer() const {
        return state_ == RrsetState::asking || state_ == RrsetState::reading_back;
    }

    RrsetState state_ = RrsetState::idle;
    std::vector<Waiting> waiting_;
    std::optional<ServedRecords> served_;
    base::TimePoint served_at_{};  ///< `served_` was served at some time after this
    SerialMark mark_{};
    std::optional<base::TimePoint> verified_at_;  ///< when the query that says so was sent
    bool invalidated_ = false;
    std::uint64_t sought_for_ = 0;  ///< ticket of the desired record whose zone was looked up again
    std::uint64_t serial_awaited_for_ = 0;  ///< ticket of the desired record that awaits the serial
    Decision decision_;
};

}  // namespace sftdyn::update
