// SPDX-License-Identifier: GPL-3.0-or-later
// Validates the URL under which clients reach the server.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::commands {

/// Why the text is not the URL of a server; empty: it is valid. A valid URL (RFC 3986) has http or
/// https, a name or an address, and optionally a port and a path. It has no characters with a
/// special meaning in the languages that the `client` command writes.
[[nodiscard]] std::string fault_of_server_url(std::string_view url);

}  // namespace sftdyn::commands
