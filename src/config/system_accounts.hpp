// SPDX-License-Identifier: GPL-3.0-or-later
// Users and groups of this machine. Thread-safe; who was found once is remembered: a directory
// service is asked by a Unix socket, and a sandboxed process may connect to none. A reload runs on
// another thread than the start.
#pragma once

#include <optional>
#include <string>

namespace sftdyn::config {

[[nodiscard]] std::optional<unsigned> group_number(const std::string& name);
[[nodiscard]] bool is_user(const std::string& name);
/// The name of a user who is named, or whose number stands there; nothing: there is none.
[[nodiscard]] std::optional<std::string> user_name(const std::string& name_or_number);

}  // namespace sftdyn::config
