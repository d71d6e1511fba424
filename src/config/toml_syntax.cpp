// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/toml_syntax.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace sftdyn::config {
namespace {

struct Explanation {
    std::initializer_list<std::string_view> signs;  ///< parts of the library's descriptions
    const char* what;
    const char* remedy;
};

// The first match is used. A description may quote the file; at worst, the quoted text selects
// another of these explanations.
const Explanation explanations[] = {
    {{"cannot redefine", "cannot insert"},
     "this name already exists: a client's key, a setting or a table stands in the file twice",
     "keep one of them; if a table appears twice, put all its lines under one header"},
    {{"utf-8", "unicode surrogates"}, "this is not UTF-8", "save the file as UTF-8"},
    {{"end-of-file", "saw EOF", "control character", "line-break"},
     "something is not closed here",
     "a text ends in its own line, with the quotation mark that it began with; a list and a table "
     "end with their bracket"},
    {{"expected '='"},
     "there is no = after the name",
     "write name = \"value\", and clients as \"key\" = \"host.example.org\""},
    {{"determine value type", "expected value,", "values may not", "digit", "leading zeroes",
      "underscores"},
     "this is not a value",
     "write numbers as they are, true or false, and every text in straight quotation marks: "
     "\"host.example.org\""},
    {{"expected bare key", "blank bare keys", "bare key"},
     "no name begins here",
     "a name with other characters than letters, digits, - and _ takes quotation marks: \"key\" = "
     "\"host.example.org\""},
    {{"expected a comment or whitespace"},
     "the line continues after its value",
     "write each setting and each client in a line of its own"},
    {{"escape"},
     "a backslash has no meaning here",
     "write \\\\ for a backslash, or put the text into single quotation marks"},
};

/// The text from a position on. The column counts characters, not octets.
std::string_view rest_from(std::string_view text, toml::source_position at) {
    for (toml::source_index line = 1; line < at.line; ++line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    for (toml::source_index column = 1; column < at.column && !text.empty(); ++column) {
        text.remove_prefix(1);
        while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0U) == 0x80)
            text.remove_prefix(1);
    }
    return text;
}

/// Whether the text begins with a curly quotation mark, as word processors write it, in UTF-8.
bool is_curly_mark(std::string_view text) {
    static constexpr std::string_view marks[] = {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
                                                 "\xe2\x80\x9f", "\xe2\x80\x98", "\xe2\x80\x99",
                                                 "\xe2\x80\x9a", "\xc2\xab",     "\xc2\xbb"};
    return std::any_of(std::begin(marks), std::end(marks),
                       [text](std::string_view mark) { return text.starts_with(mark); });
}

}  // namespace

bool is_utf16(std::string_view text) {
    return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
           text.substr(0, 4).find('\0') != std::string_view::npos;
}

base::Error explain_syntax(const toml::parse_error& error, std::string_view text) {
    if (is_curly_mark(rest_from(text, error.source().begin)))
        return {"this is a curly quotation mark", "",
                "write straight ones, in a plain editor: \"key\" = \"host.example.org\" "
                "(https://toml.io)"};
    const std::string_view description = error.description();
    const auto fits = [&](std::string_view sign) {
        return description.find(sign) != std::string_view::npos;
    };
    for (const auto& one : explanations) {
        if (std::any_of(one.signs.begin(), one.signs.end(), fits))
            return {one.what, "", std::string(one.remedy) + " (https://toml.io)"};
    }
    return {"this is not allowed here", "",
            "each line is a setting (name = value), a client (\"key\" = \"host.example.org\", in "
            "straight quotation marks), a [table] or a # comment;"
            " a list above may lack its bracket (https://toml.io)"};
}

}  // namespace sftdyn::config
