// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/script_cache.hpp"

namespace sftdyn::update {
namespace {

constexpr dns::Type any_type{255};

}  // namespace

bool ScriptCache::is_scripted(const RrsetKey& rrset, std::string_view rdata,
                              base::TimePoint since) const {
    const base::MutexLock lock(mutex_);
    const auto found = entries_.find(rrset);
    return found != entries_.end() && found->second.rdata == rdata && found->second.at >= since;
}

void ScriptCache::begin(const RrsetKey& rrset, const std::vector<dns::UpdateMessage>& messages) {
    const base::MutexLock lock(mutex_);
    for (const auto& message : messages) {
        for (const auto& record : message.updates) {
            const auto host = hosts_.find(record.owner);
            if (!host) continue;
            for (const dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
                const RrsetKey touched{*host, type};
                if (touched != rrset && (record.type == type || record.type == any_type))
                    disturb(touched);
            }
        }
    }
    ScriptedRecord& entry = entries_[rrset];
    entry.rdata.clear();
    if (++entry.under_way > 1) entry.disturbed = true;
}

void ScriptCache::end(const RrsetKey& rrset, std::string_view rdata, bool committed,
                      base::TimePoint since) {
    const base::MutexLock lock(mutex_);
    const auto found = entries_.find(rrset);
    if (found == entries_.end() || --found->second.under_way > 0) return;
    if (!committed || found->second.disturbed) {
        entries_.erase(found);
        return;
    }
    found->second.rdata = rdata;
    found->second.at = since;
}

void ScriptCache::forget(const RrsetKey& rrset) {
    const base::MutexLock lock(mutex_);
    disturb(rrset);
}

void ScriptCache::forget_all() {
    const base::MutexLock lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return entry.second.under_way == 0; });
    for (auto& [rrset, entry] : entries_) entry.disturbed = true;
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

}  // namespace sftdyn::update
