// SPDX-License-Identifier: GPL-3.0-or-later
// Remembers what the last scripts of a Python conf were for.
#pragma once

#include <cstdint>
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
/// address is trusted for as long as any other confirmed state. Where host or value are objects of
/// the conf, the script is for a pair of them, which has a number; only Python can tell what it
/// stands for. Such a pair is trusted until something else touches one of the owner names that its
/// script has touched. Scripts that touch the same name at the same time are not trusted, since it
/// is unknown which came last. Owned by `server::UpdateService`. Thread-safe.
class ScriptCache {
public:
    /// The pairs, and the owner names of their scripts, that are remembered at most, together. When
    /// there are more, all are forgotten, and their scripts are sent again.
    static constexpr std::size_t most_known = 300'000;

    /// A script in progress.
    struct Script {
        RrsetKey rrset{};                     ///< the record that it is for
        std::uint64_t pair{};                 ///< the pair that it is for instead; 0: none
        std::vector<RrsetKey> rrsets{};       ///< the address records that it touches
        std::vector<std::uint64_t> owners{};  ///< hashes of the names that it touches
    };

    explicit ScriptCache(const HostTable& hosts) : hosts_(hosts) {}

    /// True when the last script for the RRset was for the address with record data `rdata`, and,
    /// at `since` or later, the server has confirmed the whole script or that it serves the
    /// address.
    [[nodiscard]] bool is_scripted(const RrsetKey& rrset, std::string_view rdata,
                                   base::TimePoint since) const;
    /// True when the server has confirmed the pair's whole script, and nothing else has touched its
    /// owner names since.
    [[nodiscard]] bool is_scripted(std::uint64_t pair) const;

    /// A script for the RRset or, if `pair` is not 0, for the pair is about to be sent. The result
    /// is to be passed to `end`.
    [[nodiscard]] Script begin(const RrsetKey& rrset, std::uint64_t pair,
                               const std::vector<dns::UpdateMessage>& messages);
    /// The script has ended. `committed`: the server has confirmed all of it, later than `since`.
    void end(const Script& script, std::string_view rdata, bool committed, base::TimePoint since);
    /// Something else changes the RRset: forgets what was scripted for it, and for its name.
    void forget(const RrsetKey& rrset);
    /// Forgets everything: a new configuration may have other scripts.
    void forget_all();

private:
    struct ScriptedRecord {
        std::string rdata{};     ///< empty: nothing is known
        base::TimePoint at{};    ///< it was confirmed later than this
        unsigned under_way = 0;  ///< number of scripts in progress that touch it
        bool disturbed = false;  ///< something else ran beside them, so the last change is unknown
    };
    struct TouchedOwner {
        std::uint64_t pair = 0;  ///< the known pair whose script was the last; only if none runs
        unsigned under_way = 0;  ///< as above
        bool disturbed = false;  ///< as above
    };
    [[nodiscard]] Script read(const RrsetKey& rrset, std::uint64_t pair,
                              const std::vector<dns::UpdateMessage>& messages) const;
    void end_rrsets(const Script& script, std::string_view rdata, bool committed,
                    base::TimePoint since) REQUIRES(mutex_);
    void end_owners(const Script& script, bool committed) REQUIRES(mutex_);
    void remember_pair(const Script& script) REQUIRES(mutex_);
    void forget_pair(std::uint64_t pair) REQUIRES(mutex_);
    void forget_pairs() REQUIRES(mutex_);
    void disturb(const RrsetKey& rrset) REQUIRES(mutex_);
    void disturb_owner(std::uint64_t owner) REQUIRES(mutex_);

    const HostTable& hosts_;
    mutable base::Mutex mutex_;
    std::unordered_map<RrsetKey, ScriptedRecord> entries_ GUARDED_BY(mutex_);
    /// The known pairs, with the owners of their scripts. Each of these owners has the pair.
    std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> pairs_ GUARDED_BY(mutex_);
    /// By the hash of the name: the owners of known pairs, and of scripts in progress. If two names
    /// have one hash, a script is sent once more than needed.
    std::unordered_map<std::uint64_t, TouchedOwner> owners_ GUARDED_BY(mutex_);
    std::size_t known_ GUARDED_BY(mutex_) = 0;  ///< of `most_known`
};

}  // namespace sftdyn::update
