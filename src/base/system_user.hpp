// SPDX-License-Identifier: GPL-3.0-or-later
// This machine's users and groups (passwd(5), group(5), and what nsswitch.conf adds). Thread-safe.
// A sandboxed process may be unable to look them up, so they are looked up before.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace sftdyn::base {

/// A user of this machine.
struct SystemUser {
    std::string name;
    uid_t uid{};
    gid_t gid{};  ///< primary group
};

/// `nullopt` with errno 0 when there is no such user; any other errno says why the lookup failed.
[[nodiscard]] std::optional<SystemUser> find_user(const std::string& name);
[[nodiscard]] std::optional<SystemUser> find_user(uid_t uid);

/// A group of this machine.
struct SystemGroup {
    std::string name;
    gid_t gid{};
};

[[nodiscard]] std::optional<SystemGroup> find_group(const std::string& name);
[[nodiscard]] std::optional<SystemGroup> find_group(gid_t gid);

}  // namespace sftdyn::base
