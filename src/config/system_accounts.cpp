#include "config/system_accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include <map>
#include <mutex>
#include <set>

namespace sftdyn::config {
namespace {

std::mutex accounts;

}  // namespace

std::optional<unsigned> group_number(const std::string& name) {
    static std::map<std::string, gid_t> known;
    const std::lock_guard lock(accounts);
    if (const auto found = known.find(name); found != known.end()) return found->second;
    const group* entry = getgrnam(name.c_str());
    if (entry == nullptr) return std::nullopt;
    return known.emplace(name, entry->gr_gid).first->second;
}

bool is_user(const std::string& name) {
    static std::set<std::string> known;
    const std::lock_guard lock(accounts);
    return known.contains(name) || (getpwnam(name.c_str()) != nullptr && known.insert(name).second);
}

}  // namespace sftdyn::config
