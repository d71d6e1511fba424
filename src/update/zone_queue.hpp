// SPDX-License-Identifier: GPL-3.0-or-later
// The messages of one zone.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "dns/name.hpp"
#include "update/engine_limits.hpp"
#include "update/script_run.hpp"

namespace sftdyn::update {

/// Rrsets whose changes go out in one message, or not at all: what an atomic group has in a zone.
using ChangeGroup = std::vector<RrsetKey>;

/// What waits to be sent, what is under way, and what blocks the zone: docs/engine.md. Owned by
/// `ZoneTable`; used on the engine's thread.
class ZoneQueue {
public:
    explicit ZoneQueue(dns::Name name) : name_(std::move(name)) {}

    [[nodiscard]] const dns::Name& name() const { return name_; }

    /// Desired records whose host lives here.
    std::size_t waiting = 0;

    // What waits.
    void push(ChangeGroup group, bool quarantined);
    /// A refused batch goes out again, in halves, before everything else.
    void push_halves(const std::vector<ChangeGroup>& batch);
    void push(ScriptRunPtr script) { scripts_.push_back(std::move(script)); }
    /// Must not ask what is served before nothing is in doubt.
    void block(const RrsetKey& rrset) { blocked_.push_back(rrset); }

    /// All that waits to be sent, but for scripts.
    [[nodiscard]] std::vector<RrsetKey> take_unsent();
    [[nodiscard]] std::deque<ScriptRunPtr> take_scripts() { return std::exchange(scripts_, {}); }
    [[nodiscard]] std::vector<RrsetKey> take_blocked() { return std::exchange(blocked_, {}); }

    // What goes out.
    /// Nothing in doubt, and fewer messages under way than there may be.
    [[nodiscard]] bool may_send(const EngineLimits& limits) const;
    /// A script's message is the next. Scripts and batches take turns.
    [[nodiscard]] bool is_script_next();
    /// It must not go out beside anything else.
    [[nodiscard]] bool is_script_free() const { return in_flight_ == 0; }
    [[nodiscard]] ScriptRunPtr take_script();
    /// The changes that go out next, in one message; empty: none waits. `octets` tells how many a
    /// RRset's change takes at most.
    [[nodiscard]] std::vector<ChangeGroup> take_batch(
        const EngineLimits& limits, const std::function<std::size_t(const RrsetKey&)>& octets);

    // What is under way, and in doubt.
    void batch_sent();
    /// No answer that can be believed: the server may still carry it out.
    void batch_in_doubt();
    void batch_resolved(bool was_in_doubt);
    /// In doubt from now on: it may change whatever it likes in the zone.
    void script_message_sent();
    void script_message_resolved();
    /// The zone is new: what an earlier process may have sent is in doubt.
    void contact_begins();
    void contact_ends();

    /// Nothing is sent or asked.
    [[nodiscard]] bool is_in_doubt() const { return in_doubt_ > 0; }
    /// … because of an earlier process, among others.
    [[nodiscard]] bool is_contacting() const { return contacting_; }

    /// What always holds.
    void check() const;

private:
    dns::Name name_;
    std::deque<ChangeGroup> clean_;
    std::deque<ChangeGroup> quarantined_;           ///< of RRsets that failed alone before
    std::deque<std::vector<ChangeGroup>> retries_;  ///< parts of a refused batch, in order
    std::deque<ScriptRunPtr> scripts_;              ///< whose next message is to be sent
    std::vector<RrsetKey> blocked_;
    unsigned in_flight_ = 0;         ///< messages that are not resolved
    unsigned in_doubt_ = 0;          ///< of them, those that may still be carried out
    bool contacting_ = false;        ///< an earlier process's, in doubt too
    bool script_in_flight_ = false;  ///< one of the messages in flight is a script's
    bool quarantined_turn_ = false;
    bool script_turn_ = false;
};

}  // namespace sftdyn::update
