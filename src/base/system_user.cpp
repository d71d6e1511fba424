// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_user.hpp"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace sftdyn::base {
namespace {

SystemUser copy_of(const passwd& entry) { return {entry.pw_name, entry.pw_uid, entry.pw_gid}; }
SystemGroup copy_of(const group& entry) { return {entry.gr_name, entry.gr_gid}; }

/// Looks up `key` with getpwnam_r(3) or one of its siblings. The buffer grows until the entry fits:
/// a group may have thousands of members.
template <class Entry, class Key>
auto find_entry(int (*ask)(Key, Entry*, char*, std::size_t, Entry**), Key key) {
    std::optional<decltype(copy_of(Entry()))> out;
    for (std::vector<char> buffer(1024);; buffer.resize(buffer.size() * 4)) {
        Entry entry{};
        Entry* found = nullptr;
        const int error = ask(key, &entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE) continue;
        if (found != nullptr) out = copy_of(entry);
        errno = error;
        return out;
    }
}

}  // namespace

std::optional<SystemUser> find_user(const std::string& name) {
    return find_entry(getpwnam_r, name.c_str());
}
std::optional<SystemUser> find_user(uid_t uid) { return find_entry(getpwuid_r, uid); }

std::optional<SystemGroup> find_group(const std::string& name) {
    return find_entry(getgrnam_r, name.c_str());
}
std::optional<SystemGroup> find_group(gid_t gid) { return find_entry(getgrgid_r, gid); }

}  // namespace sftdyn::base
