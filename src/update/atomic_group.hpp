// SPDX-License-Identifier: GPL-3.0-or-later
// Desired records that are served together or not at all.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "update/desired_record.hpp"

namespace sftdyn::update {

struct ScriptRun;

/// The desired records of a group, or the places of a script in its host's queues. Each member
/// waits in its RRset's queue until every member is first in its queue and ready. Shared by the
/// queues of its members; used on the engine's thread.
class AtomicGroup {
public:
    /// A place in the queue of an RRset.
    struct GroupMember {
        RrsetKey rrset;
        std::uint64_t ticket = 0;  ///< of its place in the RRset's queue
        bool open = true;          ///< has no outcome yet
    };

    /// `done` is called when the last member has its outcome.
    explicit AtomicGroup(OnOutcomes done, std::shared_ptr<ScriptRun> script = nullptr)
        : done_(std::move(done)), script_(std::move(script)) {}

    /// Returns the member's index. All members are added before the first is closed.
    std::size_t add(const RrsetKey& rrset, std::uint64_t ticket) {
        assert(open_ == members_.size());
        members_.push_back({rrset, ticket});
        outcomes_.emplace_back();
        ++open_;
        return members_.size() - 1;
    }

    [[nodiscard]] const std::vector<GroupMember>& members() const { return members_; }
    /// The script that the places belong to; null: the members are desired records.
    [[nodiscard]] const std::shared_ptr<ScriptRun>& script() const { return script_; }

    /// Counts one more ready member: it is first in its queue, and what it needs is known. Returns
    /// true when all members are ready.
    [[nodiscard]] bool became_ready() {
        ++ready_;
        assert(ready_ <= members_.size());
        return ready_ == members_.size();
    }
    /// `count` members are no longer ready.
    void no_longer_ready(std::size_t count) {
        assert(count <= ready_);
        ready_ -= count;
    }

    /// The member has left its queue with `outcome`.
    void close(std::size_t index, UpdateOutcome outcome) {
        leave(index);
        outcomes_[index] = outcome;
        if (open_ == 0) done_(outcomes_);
    }
    /// The member has left its queue without an outcome; `done` is not called.
    void leave(std::size_t index) {
        assert(members_[index].open);
        members_[index].open = false;
        --open_;
        assert(open_ == static_cast<std::size_t>(
                            std::count_if(members_.begin(), members_.end(),
                                          [](const GroupMember& member) { return member.open; })));
    }
    /// Makes the outcomes of the closed members `failed`: they no longer hold.
    void invalidate_closed() {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (!members_[i].open) outcomes_[i] = {UpdateStatus::failed};
        }
    }

private:
    std::vector<GroupMember> members_{};
    std::vector<UpdateOutcome> outcomes_{};
    std::size_t open_ = 0;   ///< members without an outcome
    std::size_t ready_ = 0;  ///< members that are ready, or were ready when the group was decided
    OnOutcomes done_;
    std::shared_ptr<ScriptRun> script_;
};

using AtomicGroupPtr = std::shared_ptr<AtomicGroup>;

}  // namespace sftdyn::update
