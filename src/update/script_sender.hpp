// SPDX-License-Identifier: GPL-3.0-or-later
// Sends scripts: messages one after the other, each alone in its zone.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/script_run.hpp"

namespace sftdyn::update {

/// A script takes a place in the queues of both families of its host, and goes out when it is first
/// in all of them; what was accepted after it waits until its last message is resolved. Owned by
/// `Engine`; used on the engine's thread.
class ScriptSender {
public:
    explicit ScriptSender(EngineParts& parts) : parts_(parts) {}

    /// See `Engine::submit_messages`.
    void submit(const RrsetKey& about, std::vector<dns::UpdateMessage> messages, OnOutcome done,
                std::string served);
    /// Its places are first in their queues.
    void start(const ScriptRunPtr& script);
    /// Goes on with its next message, whose zone may have to be found.
    void resume(const ScriptRunPtr& script);
    /// Sends the message that is next in the zone.
    void send_next(ZoneIndex zone);
    void fail(const ScriptRunPtr& script, const dns::DnsError& failure);

    /// Ends what has passed its deadline.
    void tick(base::TimePoint now);
    void forget_deadlines() { deadlines_.clear(); }
    [[nodiscard]] std::size_t deadlines() const { return deadlines_.size(); }

private:
    void take_places(const ScriptRunPtr& script);
    void give_up_places(ScriptRun& script);
    void enqueue(const ScriptRunPtr& script, ZoneIndex zone);
    void answered(const ScriptRunPtr& script, const dns::Reply& reply);
    void resolved(const ScriptRunPtr& script, ZoneIndex zone);
    void finish(ScriptRun& script, UpdateOutcome outcome);
    void invalidate(const dns::UpdateMessage& message);

    EngineParts& parts_;
    std::deque<ScriptRunPtr> deadlines_;
    std::size_t open_ = 0;  ///< scripts that have not ended
};

}  // namespace sftdyn::update
