// SPDX-License-Identifier: GPL-3.0-or-later
// The queue of messages of one zone.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "dns/name.hpp"
#include "update/engine_limits.hpp"
#include "update/script_run.hpp"
#include "update/zone_serial.hpp"

namespace sftdyn::update {

/// RRsets whose changes are sent in one message or not at all: the part of an atomic group in one
/// zone.
using ChangeGroup = std::vector<RrsetKey>;

/// The changes that wait to be sent, the messages in flight, and the doubts that block the zone
/// (docs/engine.md). Owned by `ZoneTable`; used on the engine's thread.
class ZoneQueue {
public:
    explicit ZoneQueue(dns::Name name) : name_(std::move(name)) {}

    [[nodiscard]] const dns::Name& name() const { return name_; }

    /// Number of waiting desired records of the zone's hosts.
    std::size_t waiting = 0;

    // Waiting changes.
    void push(ChangeGroup group, bool quarantined);
    /// Queues a refused batch again, in two halves, before everything else.
    void push_halves(const std::vector<ChangeGroup>& batch);
    void push(ScriptRunPtr script) { scripts_.push_back(std::move(script)); }
    /// The RRset waits until nothing is in doubt before its served records are queried.
    void block(const RrsetKey& rrset) { blocked_.push_back(rrset); }

    /// Removes and returns all changes that wait to be sent, without scripts.
    [[nodiscard]] std::vector<RrsetKey> take_unsent();
    [[nodiscard]] std::deque<ScriptRunPtr> take_scripts() { return std::exchange(scripts_, {}); }
    [[nodiscard]] std::vector<RrsetKey> take_blocked() { return std::exchange(blocked_, {}); }

    // Sending.
    /// True when nothing is in doubt, and fewer messages are in flight than the limit.
    [[nodiscard]] bool may_send(const EngineLimits& limits) const;
    /// Whether a script's message is sent next. Scripts and batches take turns.
    [[nodiscard]] bool is_script_next();
    /// A script's message must be the only one in flight.
    [[nodiscard]] bool is_script_free() const { return in_flight_ == 0; }
    [[nodiscard]] ScriptRunPtr take_script();
    /// Removes and returns the changes of the next message; empty: none waits. `octets` returns the
    /// maximum size of an RRset's change.
    [[nodiscard]] std::vector<ChangeGroup> take_batch(
        const EngineLimits& limits, const std::function<std::size_t(const RrsetKey&)>& octets);

    // Messages in flight and in doubt.
    void batch_sent();
    /// The batch has no trustworthy answer: the server may still carry it out.
    void batch_in_doubt();
    void batch_resolved(bool was_in_doubt);
    /// The message is in doubt as soon as it is sent, because it may change anything in the zone.
    void script_message_sent();
    void script_message_resolved();
    /// The zone is new: UPDATEs that an earlier process may have sent are in doubt.
    void contact_begins();
    void contact_ends();

    /// True: nothing may be sent or queried in the zone.
    [[nodiscard]] bool is_in_doubt() const { return in_doubt_ > 0; }
    /// True while an earlier process's UPDATEs are in doubt.
    [[nodiscard]] bool is_contacting() const { return contacting_; }

    [[nodiscard]] ZoneSerial& serial() { return serial_; }
    [[nodiscard]] const ZoneSerial& serial() const { return serial_; }

    /// Asserts the invariants.
    void check() const;

private:
    dns::Name name_;
    ZoneSerial serial_{};
    std::deque<ChangeGroup> clean_;
    std::deque<ChangeGroup> quarantined_;  ///< of RRsets whose change was refused when sent alone
    std::deque<std::vector<ChangeGroup>> retries_;  ///< parts of a refused batch, in order
    std::deque<ScriptRunPtr> scripts_;              ///< scripts whose next message waits to be sent
    std::vector<RrsetKey> blocked_;
    unsigned in_flight_ = 0;         ///< messages that are not yet resolved
    unsigned in_doubt_ = 0;          ///< those that may still be carried out, and the contact
    bool contacting_ = false;        ///< an earlier process's UPDATEs are in doubt
    bool script_in_flight_ = false;  ///< one of the messages in flight is a script's
    bool quarantined_turn_ = false;
    bool script_turn_ = false;
};

}  // namespace sftdyn::update
