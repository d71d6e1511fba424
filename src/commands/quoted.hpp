// SPDX-License-Identifier: GPL-3.0-or-later
// Quotes texts for the languages of other programs, so that no character has a special meaning.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::commands::quoted {

/// For sh, in single quotation marks; OpenWrt's UCI has the same syntax.
[[nodiscard]] std::string for_shell(std::string_view text);
/// A command for a line of crontab(5), where a `%` ends the line.
[[nodiscard]] std::string for_cron(std::string_view command);
/// For curl's --config.
[[nodiscard]] std::string for_curl_file(std::string_view text);
/// A value for ddclient. Not for passwords: ddclient takes them unquoted, between the first and the
/// last `'` of the line.
[[nodiscard]] std::string for_ddclient(std::string_view text);
/// For inadyn, which parses its file with libconfuse.
[[nodiscard]] std::string for_inadyn(std::string_view text);

/// Whether the text can be used unchanged as a file name and as the instance of a systemd unit.
[[nodiscard]] bool is_plain_name(std::string_view text);
/// Control characters can't be quoted in any of these languages.
[[nodiscard]] bool has_control_characters(std::string_view text);

}  // namespace sftdyn::commands::quoted
