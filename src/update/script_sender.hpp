// SPDX-License-Identifier: GPL-3.0-or-later
// Sends scripts: messages one after the other, each alone in its zone.
#pragma once

#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

#include "update/engine_parts.hpp"
#include "update/engine_thread.hpp"
#include "update/script_run.hpp"

namespace sftdyn::update {

/// A script takes a place in the queues of both address families of its host, and starts when it is
/// first in all of them. Later requests wait until its last message is resolved. Owned by `Engine`;
/// used on the engine's thread.
class ScriptSender {
public:
    explicit ScriptSender(EngineParts& parts) : parts_(parts) {}
    /// Drops scripts that have not ended.
    ~ScriptSender();
    ScriptSender(const ScriptSender&) = delete;
    ScriptSender& operator=(const ScriptSender&) = delete;

    /// See `Engine::submit_messages`.
    void submit(const RrsetKey& about, std::vector<dns::UpdateMessage> messages, OnOutcome done,
                std::string served) REQUIRES(engine_thread);
    /// Starts a script whose places are first in their queues.
    void start(const ScriptRunPtr& script) REQUIRES(engine_thread);
    /// Continues with the script's next message. Its zone may have to be found first.
    void resume(const ScriptRunPtr& script) REQUIRES(engine_thread);
    /// Sends the zone's next script message.
    void send_next(ZoneIndex zone) REQUIRES(engine_thread);
    void fail(const ScriptRunPtr& script, const dns::DnsError& failure) REQUIRES(engine_thread);

    /// Fails scripts that have passed their deadline.
    void tick(base::TimePoint now) REQUIRES(engine_thread);
    void forget_deadlines() REQUIRES(engine_thread) { deadlines_.clear(); }
    [[nodiscard]] std::size_t deadlines() const REQUIRES(engine_thread) {
        return deadlines_.size();
    }

private:
    void take_places(const ScriptRunPtr& script) REQUIRES(engine_thread);
    void give_up_places(ScriptRun& script) REQUIRES(engine_thread);
    void enqueue(const ScriptRunPtr& script, ZoneIndex zone) REQUIRES(engine_thread);
    void answered(const ScriptRunPtr& script, const dns::Reply& reply) REQUIRES(engine_thread);
    void resolved(const ScriptRunPtr& script, ZoneIndex zone) REQUIRES(engine_thread);
    void finish(ScriptRun& script, UpdateOutcome outcome) REQUIRES(engine_thread);
    void invalidate(const dns::UpdateMessage& message) REQUIRES(engine_thread);

    EngineParts& parts_;
    std::deque<ScriptRunPtr> deadlines_;
    /// The scripts that have places. A script and its places own each other until the places are
    /// given up.
    std::unordered_set<ScriptRun*> placed_;
    std::size_t open_ = 0;  ///< scripts that have not ended
};

}  // namespace sftdyn::update
