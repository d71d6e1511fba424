// SPDX-License-Identifier: GPL-3.0-or-later
// Users and groups of this machine. Accounts that were found are cached: a lookup may need a Unix
// socket of a directory service, and the sandboxed process can't connect to one. Thread-safe,
// because a reload runs on another thread than the start.
#pragma once

#include <optional>
#include <string>

namespace sftdyn::config {

[[nodiscard]] std::optional<unsigned> group_number(const std::string& name);
[[nodiscard]] bool is_user(const std::string& name);
/// The name of the user with this name or number; nothing: there is none.
[[nodiscard]] std::optional<std::string> user_name(const std::string& name_or_number);

}  // namespace sftdyn::config
