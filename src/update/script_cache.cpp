// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_cache.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace sftdyn::update {
namespace {

constexpr dns::Type any_type{255};

std::uint64_t hash_of(const dns::Name& owner) { return std::hash<std::string>()(owner.bytes()); }

}  // namespace

bool ScriptCache::is_scripted(const RrsetKey& rrset, std::string_view rdata,
                              base::TimePoint since) const {
    const base::MutexLock lock(mutex_);
    const auto found = entries_.find(rrset);
    return found != entries_.end() && found->second.under_way == 0 &&
           found->second.rdata == rdata && found->second.at >= since;
}

bool ScriptCache::is_scripted(std::uint64_t pair) const {
    const base::MutexLock lock(mutex_);
    return pairs_.contains(pair);
}

ScriptCache::Script ScriptCache::read(const RrsetKey& rrset, std::uint64_t pair,
                                      const std::vector<dns::UpdateMessage>& messages) const {
    Script script{.rrset = rrset, .pair = pair};
    if (pair == 0) script.rrsets.push_back(rrset);
    for (const auto& message : messages) {
        for (const auto& record : message.updates) {
            script.owners.push_back(hash_of(record.owner));
            const auto host = hosts_.find(record.owner);
            if (!host) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                if (record.type == type || record.type == any_type)
                    script.rrsets.push_back({*host, type});
            }
        }
    }
    std::ranges::sort(script.rrsets, {}, &RrsetKey::packed);
    const auto same_rrsets = std::ranges::unique(script.rrsets);
    script.rrsets.erase(same_rrsets.begin(), same_rrsets.end());
    std::ranges::sort(script.owners);
    const auto same_owners = std::ranges::unique(script.owners);
    script.owners.erase(same_owners.begin(), same_owners.end());
    return script;
}

ScriptCache::Script ScriptCache::begin(const RrsetKey& rrset, std::uint64_t pair,
                                       const std::vector<dns::UpdateMessage>& messages) {
    Script script = read(rrset, pair, messages);
    const base::MutexLock lock(mutex_);
    for (const RrsetKey& touched : script.rrsets) {
        ScriptedRecord& entry = entries_[touched];
        entry.rdata.clear();
        if (++entry.under_way > 1) entry.disturbed = true;
    }
    for (const std::uint64_t touched : script.owners) {
        TouchedOwner& owner = owners_[touched];
        if (++owner.under_way > 1) owner.disturbed = true;
        forget_pair(owner.pair);
    }
    forget_pair(pair);
    return script;
}

void ScriptCache::end(const Script& script, std::string_view rdata, bool committed,
                      base::TimePoint since) {
    const base::MutexLock lock(mutex_);
    end_rrsets(script, rdata, committed, since);
    end_owners(script, committed);
}

void ScriptCache::end_rrsets(const Script& script, std::string_view rdata, bool committed,
                             base::TimePoint since) {
    for (const RrsetKey& touched : script.rrsets) {
        const auto found = entries_.find(touched);
        if (found == entries_.end() || --found->second.under_way > 0) continue;
        const bool is_its_own = script.pair == 0 && touched == script.rrset;
        if (!is_its_own || !committed || found->second.disturbed) {
            entries_.erase(found);
            continue;
        }
        found->second.rdata = rdata;
        found->second.at = since;
    }
}

void ScriptCache::end_owners(const Script& script, bool committed) {
    bool disturbed = false;
    for (const std::uint64_t touched : script.owners) {
        const auto found = owners_.find(touched);
        if (found == owners_.end()) continue;
        disturbed = found->second.disturbed || disturbed;
        if (--found->second.under_way == 0) owners_.erase(found);
    }
    if (script.pair == 0) return;
    forget_pair(script.pair);
    if (committed && !disturbed) remember_pair(script);
}

/// Nothing that touches its owners is in progress.
void ScriptCache::remember_pair(const Script& script) {
    const std::size_t size = 1 + script.owners.size();
    if (known_ + size > most_known) forget_pairs();
    known_ += size;
    for (const std::uint64_t owner : script.owners) owners_[owner].pair = script.pair;
    pairs_[script.pair] = script.owners;
}

void ScriptCache::forget_pair(std::uint64_t pair) {
    const auto found = pairs_.find(pair);
    if (found == pairs_.end()) return;
    const std::vector<std::uint64_t> touched = std::move(found->second);
    pairs_.erase(found);
    known_ -= 1 + touched.size();
    for (const std::uint64_t each : touched) {
        const auto owner = owners_.find(each);
        if (owner == owners_.end()) continue;
        owner->second.pair = 0;
        if (owner->second.under_way == 0) owners_.erase(owner);
    }
}

void ScriptCache::forget_pairs() {
    pairs_.clear();
    known_ = 0;
    std::erase_if(owners_, [](const auto& owner) { return owner.second.under_way == 0; });
}

void ScriptCache::forget(const RrsetKey& rrset) {
    const base::MutexLock lock(mutex_);
    disturb(rrset);
    if (!owners_.empty()) disturb_owner(hash_of(hosts_.name(rrset.host)));
}

void ScriptCache::forget_all() {
    const base::MutexLock lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return entry.second.under_way == 0; });
    for (auto& [rrset, entry] : entries_) entry.disturbed = true;
    forget_pairs();
    for (auto& [name, owner] : owners_) owner.disturbed = true;
}

void ScriptCache::disturb(const RrsetKey& rrset) {
    const auto found = entries_.find(rrset);
    if (found == entries_.end()) return;
    if (found->second.under_way == 0) {
        entries_.erase(found);
        return;
    }
    found->second.disturbed = true;
}

void ScriptCache::disturb_owner(std::uint64_t owner) {
    const auto found = owners_.find(owner);
    if (found == owners_.end()) return;
    if (found->second.under_way == 0) return forget_pair(found->second.pair);
    found->second.disturbed = true;
}

}  // namespace sftdyn::update
