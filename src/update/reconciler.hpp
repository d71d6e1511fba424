// SPDX-License-Identifier: GPL-3.0-or-later
// Brings each RRset to its desired record.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "update/engine_parts.hpp"

namespace sftdyn::update {

/// For the first desired record of each RRset it finds the zone, learns what is served, and decides
/// what has to change. What has to change goes to the `BatchSender`, which reports back here. Owned
/// by `Engine`; used on the engine's thread.
class Reconciler {
public:
    explicit Reconciler(EngineParts& parts) : parts_(parts) {}

    /// See `Engine`.
    void submit(DesiredRecord desired, OnOutcome done);
    void submit_group(std::vector<DesiredRecord> desired_records, OnOutcomes done);
    /// Ends what has passed its deadline.
    void tick(base::TimePoint now);
    /// What is answered at once needs no watching; without this a flood of it would leave its
    /// deadlines behind.
    void forget_deadlines();

    /// Something that the RRset waited for has happened: as far as it gets.
    void advance(const Target& target);
    /// As `advance`, for what has just been submitted: whatever is at work already goes on.
    void begin(const Target& target);
    /// All that waits for the RRset fails, and what belongs to it elsewhere.
    void fail_all(const Target& target, const dns::DnsError& failure);

    // The outcome of a change that was sent, or was to be.
    void committed(const Target& target);
    void refused(const Target& target, const dns::DnsError& failure);
    /// It was not sent, since who wanted it has been given up. `advance` follows.
    void dropped(const Target& target);
    /// Another server is asked from now on: the RRset is decided anew.
    void start_over(const Target& target);
    [[nodiscard]] bool is_quarantined(const Target& target) const {
        return quarantined_.contains(target);
    }

    /// The servers have changed: nothing that is known holds, and what is decided is undone.
    void forget_servers();

private:
    [[nodiscard]] bool is_full(const DesiredRecord& desired) const;
    void give_up(const Target& target, std::uint64_t ticket);
    bool decide(const Target& target, TargetQueue& queue);
    void decide_group(const AtomicGroupPtr& group);
    bool take_back_lost(const AtomicGroupPtr& group);
    std::optional<base::Duration> charge(const AtomicGroup& group);
    void answer_front(const Target& target, TargetQueue& queue, UpdateOutcome outcome);
    void finish_front(const Target& target, TargetQueue& queue, UpdateOutcome outcome);
    static void close(const TargetQueue::Waiting& waiting, UpdateOutcome outcome);
    void abandon(const AtomicGroupPtr& group);
    static void undo_decision(TargetQueue& queue);

    void find_zone(const Target& target, TargetQueue& queue);
    void look_up(const Target& target, TargetQueue& queue);
    void looked_up(const Target& target, dns::Outcome<std::vector<std::string>> served);
    void refund(const Target& target, TargetQueue& queue);

    void keep_reverse(const DesiredRecord& desired, const std::vector<std::string>& before);
    void submit_pointer(const DesiredRecord& desired, const std::string& address,
                        dns::Change::Kind kind);
    void report_foreign_pointer(const Target& pointer, const std::vector<std::string>& served,
                                const std::string& own) const;
    [[nodiscard]] dns::DnsError too_late(ZoneIndex zone) const;

    EngineParts& parts_;
    std::unordered_set<Target> quarantined_;  ///< whose last change the server refused alone
};

}  // namespace sftdyn::update
