// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/system_user.hpp"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <vector>

namespace sftdyn::base {
namespace {

/// Asks with a buffer that grows until the entry fits: a group may have thousands of members.
template <class Entry, class Ask>
std::optional<Entry> entry_of(std::vector<char>& buffer, const Ask& ask) {
    for (buffer.resize(1024);; buffer.resize(buffer.size() * 4)) {
        Entry entry{};
        Entry* found = nullptr;
        const int error = ask(entry, buffer, found);
        if (error == ERANGE) continue;
        errno = error;
        if (found == nullptr) return std::nullopt;
        return entry;
    }
}

template <class Ask>
std::optional<SystemUser> user(const Ask& ask) {
    std::vector<char> buffer;
    const auto entry = entry_of<passwd>(buffer, ask);
    if (!entry) return std::nullopt;
    return SystemUser{entry->pw_name, entry->pw_uid, entry->pw_gid};
}

template <class Ask>
std::optional<SystemGroup> group_by(const Ask& ask) {
    std::vector<char> buffer;
    const auto entry = entry_of<group>(buffer, ask);
    if (!entry) return std::nullopt;
    return SystemGroup{entry->gr_name, entry->gr_gid};
}

}  // namespace

std::optional<SystemUser> find_user(const std::string& name) {
    return user([&](passwd& entry, std::vector<char>& buffer, passwd*& found) {
        return getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    });
}

std::optional<SystemUser> find_user(uid_t uid) {
    return user([&](passwd& entry, std::vector<char>& buffer, passwd*& found) {
        return getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
    });
}

std::optional<SystemGroup> find_group(const std::string& name) {
    return group_by([&](group& entry, std::vector<char>& buffer, group*& found) {
        return getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    });
}

std::optional<SystemGroup> find_group(gid_t gid) {
    return group_by([&](group& entry, std::vector<char>& buffer, group*& found) {
        return getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
    });
}

}  // namespace sftdyn::base
