// SPDX-License-Identifier: GPL-3.0-or-later
// Where clients reach the server, as somebody writes it.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::commands {

/// Why it is no URL of a server: http or https, a name or an address, maybe a port and a path
/// (RFC 3986), and nothing that has a meaning in the languages that `client` writes. Empty: it is
/// one.
[[nodiscard]] std::string fault_of_server_url(std::string_view url);

}  // namespace sftdyn::commands
