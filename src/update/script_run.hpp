// SPDX-License-Identifier: GPL-3.0-or-later
// A script: messages that are sent one after the other, unchanged. Used on the engine's thread.
#pragma once

#include <cassert>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "update/atomic_group.hpp"

namespace sftdyn::update {

/// `waiting` for its places → `running` → `ended`; or from `waiting` at once to `ended`.
struct ScriptRun {
    RrsetKey about;  ///< the host that is charged, and the record that failures are reported for
    std::vector<dns::UpdateMessage> messages;
    OnOutcome done;  ///< empty once it was called
    base::TimePoint deadline;
    std::string served{};     ///< record data; if it is served, the script is skipped
    AtomicGroupPtr places{};  ///< in the host's queues; null once they are given up
    std::size_t next = 0;     ///< index of the next message; those before it were sent …
    unsigned generation = 0;  ///< … under this configuration
    bool started = false;
    bool in_flight = false;  ///< a message is not yet resolved
    bool refused = false;    ///< one of the messages was refused

    [[nodiscard]] bool has_ended() const { return !done; }
    /// The servers have changed: all messages are sent again.
    void start_over() {
        next = 0;
        refused = false;
    }
    [[nodiscard]] bool all_sent() const { return next == messages.size(); }
    /// The served records of `rrset` must be known before the script starts.
    [[nodiscard]] bool needs_served(const RrsetKey& rrset) const {
        return !served.empty() && rrset == about;
    }

    void check() const {
        assert(next <= messages.size());
        assert(next == 0 || started);
        assert(!in_flight || next > 0);
        // The places stay until the message is resolved, so that nothing overtakes it.
        assert(!in_flight || places);
        assert(has_ended() || places);
    }
};
using ScriptRunPtr = std::shared_ptr<ScriptRun>;

}  // namespace sftdyn::update
