// SPDX-License-Identifier: GPL-3.0-or-later
// Remembers the address that a host's last script was for.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "update/rrset_key.hpp"
#include "update/served_cache.hpp"

namespace sftdyn::update {

/// A script may change anything, so a query can only tell whether its address is still served. The
/// address is trusted for as long as any other confirmed state. Owned by `server::UpdateService`.
/// Thread-safe.
class ScriptCache {
public:
    explicit ScriptCache(const HostTable& hosts) : hosts_(hosts) {}

    /// True when the last script for the RRset was for the address with record data `rdata`, and,
    /// at `since` or later, the server has confirmed the whole script or that it serves the
    /// address.
    [[nodiscard]] bool is_scripted(const RrsetKey& rrset, std::string_view rdata,
                                   base::TimePoint since) const;

    /// A script for the RRset is about to be sent.
    void begin(const RrsetKey& rrset, const std::vector<dns::UpdateMessage>& messages);
    /// The script has ended. `committed`: the server has confirmed all of it, later than `since`.
    void end(const RrsetKey& rrset, std::string_view rdata, bool committed, base::TimePoint since);
    /// Forgets the RRset, because something else changes it.
    void forget(const RrsetKey& rrset);
    /// Forgets everything: a new configuration may have other scripts.
    void forget_all();

private:
    struct ScriptedRecord {
        std::string rdata{};     ///< empty: nothing is known
        base::TimePoint at{};    ///< it was confirmed later than this
        unsigned under_way = 0;  ///< number of scripts in progress
        bool disturbed = false;  ///< something else ran beside them, so the last change is unknown
    };
    void disturb(const RrsetKey& rrset) REQUIRES(mutex_);

    const HostTable& hosts_;
    mutable base::Mutex mutex_;
    std::unordered_map<RrsetKey, ScriptedRecord> entries_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::update
