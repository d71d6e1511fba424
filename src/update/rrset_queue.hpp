// SPDX-License-Identifier: GPL-3.0-or-later
// What waits for one RRset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "dns/message.hpp"
#include "update/atomic_group.hpp"
#include "update/desired_record.hpp"

namespace sftdyn::update {

/// How far the first desired record of an RRset has got (docs/engine.md).
enum class RrsetState : std::uint8_t {
    idle,          ///< nothing is at work: the first is looked at now
    finding_zone,  ///< the host's zone is asked for
    blocked,       ///< something in the zone is in doubt: what is served can't be asked for
    asking,        ///< what is served is asked for
    ready,         ///< waits for the others of its atomic group
    queued,        ///< its change waits in the zone's queue
    in_flight,     ///< its change is sent, or the script whose place is first runs
    reading_back,  ///< its change is confirmed, and what is served is asked for
    answering      ///< the first is being told its outcome; who is told may submit again
};

/// The desired records in the order they came, and how far the first has got: the state machine of
/// docs/engine.md. Owned by `RrsetTable`; used on the engine's thread.
class RrsetQueue {
public:
    /// A desired record or a script's place that waits.
    struct Waiting {
        DesiredRecord desired;
        OnOutcome done;  ///< of a desired record that stands alone
        base::TimePoint deadline;
        std::uint64_t ticket;
        AtomicGroupPtr group{};
        std::size_t index = 0;  ///< in `group`
    };

    [[nodiscard]] RrsetState state() const { return state_; }
    /// Only where the table of states has a way from the state before.
    void enter(RrsetState next);
    [[nodiscard]] static bool may_follow(RrsetState from, RrsetState to);

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }
    [[nodiscard]] const Waiting& front() const { return waiting_.front(); }
    /// Tickets grow: the order of the queue is the order in which they were given.
    void push(Waiting waiting);
    [[nodiscard]] Waiting pop();
    /// Takes it from anywhere in the queue, if it is there.
    [[nodiscard]] std::optional<Waiting> take(std::uint64_t ticket);
    [[nodiscard]] std::vector<Waiting> take_all() { return std::move(waiting_); }
    /// The tickets of what waits, but for scripts' places.
    [[nodiscard]] std::vector<std::uint64_t> desired_records() const;
    [[nodiscard]] bool is_first(std::uint64_t ticket) const {
        return !waiting_.empty() && front().ticket == ticket;
    }

    // What the server serves, as far as is known.
    [[nodiscard]] const std::optional<ServedRecords>& served() const { return served_; }
    [[nodiscard]] base::TimePoint served_at() const { return served_at_; }
    /// It was asked for the desired record that is first now.
    [[nodiscard]] bool is_verified() const { return verified_; }
    /// Known, and believed: verified, or not older than `since`.
    [[nodiscard]] bool is_served_known(base::TimePoint since) const {
        return served_ && (verified_ || served_at_ > since);
    }
    void set_served(ServedRecords served, base::TimePoint at, bool verified);
    void forget_served();
    /// The next desired record must not take it for asked on its behalf.
    void end_verified() { verified_ = false; }
    /// Something else may change the records. An answer that is under way is not believed.
    void invalidate();
    /// Whether that happened since the question was asked; told once.
    [[nodiscard]] bool was_invalidated() { return std::exchange(invalidated_, false); }

    // What was decided for the desired record that was first then.
    /// The change that was decided on, and what it has cost the host.
    struct Decision {
        std::uint64_t ticket = 0;  ///< of that desired record; 0: nothing was decided yet
        bool paid = false;         ///< the change has cost its host something
        bool same = false;         ///< it changes nothing: it goes along with others
        bool undone = false;       ///< the servers have changed since: it is decided anew
        dns::Change change{};
        std::vector<std::string> before{};  ///< record data that it has replaced
    };
    [[nodiscard]] const Decision& decision() const { return decision_; }
    /// The first is decided on, or ready to be.
    void begin_decision() {
        decision_.ticket = front().ticket;
        decision_.undone = false;
    }
    /// True, once, when the decision was for the desired record that is first.
    [[nodiscard]] bool undo_decision() {
        return is_still_wanted() && !std::exchange(decision_.undone, true);
    }
    void set_cost(bool paid, bool same) {
        decision_.paid = paid;
        decision_.same = same;
    }
    void set_before(std::vector<std::string> before) { decision_.before = std::move(before); }
    /// True, once for each desired record that is first: its zone may be looked for again.
    [[nodiscard]] bool may_seek_zone() {
        return std::exchange(sought_for_, front().ticket) != front().ticket;
    }
    /// The change of the first desired record, which waits for the zone from now on.
    void queue_change(const dns::Name& owner);
    /// True, once, when the change has cost its host something.
    [[nodiscard]] bool take_payment() { return std::exchange(decision_.paid, false); }
    /// The change has come about: what it cost is not given back.
    void keep_payment() { decision_.paid = false; }
    /// The desired record that the decision is for still waits.
    [[nodiscard]] bool is_still_wanted() const { return is_first(decision_.ticket); }

    /// What always holds.
    void check() const;

private:
    [[nodiscard]] bool is_awaiting_answer() const {
        return state_ == RrsetState::asking || state_ == RrsetState::reading_back;
    }

    RrsetState state_ = RrsetState::idle;
    std::vector<Waiting> waiting_;
    std::optional<ServedRecords> served_;
    base::TimePoint served_at_{};  ///< since when `served_` is known
    bool verified_ = false;
    bool invalidated_ = false;
    std::uint64_t sought_for_ = 0;  ///< ticket of the desired record that the zone was sought for
    Decision decision_;
};

}  // namespace sftdyn::update
