// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/system_accounts.hpp"

#include <map>
#include <mutex>
#include <set>

#include "base/system_user.hpp"

namespace sftdyn::config {
namespace {

std::mutex accounts;

}  // namespace

std::optional<unsigned> group_number(const std::string& name) {
    static std::map<std::string, gid_t> known;
    const std::lock_guard lock(accounts);
    if (const auto found = known.find(name); found != known.end()) return found->second;
    const auto entry = base::find_group(name);
    if (!entry) return std::nullopt;
    return known.emplace(name, entry->gid).first->second;
}

bool is_user(const std::string& name) {
    static std::set<std::string> known;
    const std::lock_guard lock(accounts);
    return known.contains(name) || (base::find_user(name) && known.insert(name).second);
}

}  // namespace sftdyn::config
