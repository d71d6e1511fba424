// SPDX-License-Identifier: GPL-3.0-or-later
// Texts as they are written in other programs' languages, so that nothing in them has a meaning
// there.
#pragma once

#include <string>
#include <string_view>

namespace sftdyn::commands::quoted {

/// For sh, within single quotation marks; OpenWrt's UCI reads the same.
[[nodiscard]] std::string for_shell(std::string_view text);
/// A command for a line of crontab(5), where a `%` ends the line.
[[nodiscard]] std::string for_cron(std::string_view command);
/// For curl's --config.
[[nodiscard]] std::string for_curl_file(std::string_view text);
/// A value for ddclient, other than a password: that stands as it is, between the first and the
/// last `'` of its line.
[[nodiscard]] std::string for_ddclient(std::string_view text);
/// For inadyn, whose file libconfuse reads.
[[nodiscard]] std::string for_inadyn(std::string_view text);

/// Whether it can be the name of a file and a systemd unit's instance as it is.
[[nodiscard]] bool is_plain_name(std::string_view text);
/// No quotation helps against those.
[[nodiscard]] bool has_control_characters(std::string_view text);

}  // namespace sftdyn::commands::quoted
