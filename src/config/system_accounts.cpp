// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/system_accounts.hpp"

#include <map>
#include <set>

#include "base/mutex.hpp"
#include "base/number.hpp"
#include "base/system_user.hpp"

namespace sftdyn::config {
namespace {

/// Guards the caches of accounts.
base::Mutex accounts;
std::map<std::string, gid_t> known_groups GUARDED_BY(accounts);
std::set<std::string> known_users GUARDED_BY(accounts);
std::map<uid_t, std::string> known_numbers GUARDED_BY(accounts);

}  // namespace

std::optional<unsigned> group_number(const std::string& name) {
    const base::MutexLock lock(accounts);
    if (const auto found = known_groups.find(name); found != known_groups.end())
        return found->second;
    const auto entry = base::find_group(name);
    if (!entry) return std::nullopt;
    return known_groups.emplace(name, entry->gid).first->second;
}

bool is_user(const std::string& name) {
    const base::MutexLock lock(accounts);
    return known_users.contains(name) || (base::find_user(name) && known_users.insert(name).second);
}

std::optional<std::string> user_name(const std::string& name_or_number) {
    if (is_user(name_or_number)) return name_or_number;
    const auto uid = base::parse_number<uid_t>(name_or_number);
    if (!uid) return std::nullopt;
    const base::MutexLock lock(accounts);
    if (const auto found = known_numbers.find(*uid); found != known_numbers.end())
        return found->second;
    const auto entry = base::find_user(*uid);
    if (!entry) return std::nullopt;
    return known_numbers.emplace(*uid, entry->name).first->second;
}

}  // namespace sftdyn::config
