// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/quoted.hpp"

#include <algorithm>

namespace sftdyn::commands::quoted {
namespace {

bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._").find(c) != std::string_view::npos;
}

/// The text with a backslash in front of each of `special`.
std::string escaped(std::string_view text, std::string_view special) {
    std::string out;
    for (const char c : text) {
        if (special.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace

std::string for_shell(std::string_view text) {
    std::string out = "'";
    for (const char c : text) c == '\'' ? out += "'\\''" : out += c;
    return out + '\'';
}

std::string for_cron(std::string_view command) { return escaped(command, "%"); }

std::string for_curl_file(std::string_view text) { return '"' + escaped(text, "\"\\") + '"'; }

std::string for_ddclient(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (!is_plain(c) && static_cast<unsigned char>(c) < 0x80) out += '\\';
        out += c;
    }
    return out;
}

// libconfuse does not replace ${…} in single quotation marks.
std::string for_inadyn(std::string_view text) { return '\'' + escaped(text, "'\\") + '\''; }

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= 200 && text.front() != '.' && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), is_plain);
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace sftdyn::commands::quoted
