// SPDX-License-Identifier: GPL-3.0-or-later
// Which address the last script of a host was for.
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

/// A script may do anything, so the server can only be asked whether it still serves that address;
/// until then it is believed for as long as any other state. Owned by `server::UpdateService`.
/// Thread-safe.
class ScriptCache {
public:
    explicit ScriptCache(const HostTable& hosts) : hosts_(hosts) {}

    /// True when the last script for the RRset was for the address with that record data, and the
    /// server has confirmed all of it, or that it serves the address, at `since` or later.
    [[nodiscard]] bool is_scripted(const RrsetKey& rrset, std::string_view rdata,
                                   base::TimePoint since) const;

    /// A script for the RRset goes out.
    void begin(const RrsetKey& rrset, const std::vector<dns::UpdateMessage>& messages);
    /// It is done at `now`, all of it if `committed`.
    void end(const RrsetKey& rrset, std::string_view rdata, bool committed, base::TimePoint now);
    /// Something else changes the RRset.
    void forget(const RrsetKey& rrset);
    /// Another conf may mean other scripts.
    void forget_all();

private:
    struct ScriptedRecord {
        std::string rdata{};     ///< empty: nothing is believed
        base::TimePoint at{};    ///< that it was confirmed
        unsigned under_way = 0;  ///< scripts
        bool disturbed = false;  ///< they were not alone: who was last can't be told
    };
    void disturb(const RrsetKey& rrset) REQUIRES(mutex_);

    const HostTable& hosts_;
    mutable base::Mutex mutex_;
    std::unordered_map<RrsetKey, ScriptedRecord> entries_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::update
