// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/settings_documents.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/settings_documentation.hpp"

namespace sftdyn::config {
namespace {

constexpr std::size_t sample_width = 100;

// The names of the sections in the document's marks.
constexpr std::pair<std::string_view, Section> marks[] = {
    {"top", Section::top},
    {"listener", Section::listener},
    {"certificate", Section::certificate},
    {"addresses", Section::addresses},
    {"dns", Section::dns},
    {"zone", Section::zone},
    {"limits", Section::limits},
    {"process", Section::process},
    {"admin", Section::admin},
    {"client", Section::client},
    {"named client", Section::named_client},
    {"host", Section::host},
};

std::string seconds_text(std::int64_t milliseconds) {
    return fmt::format("{}", static_cast<double>(milliseconds) / 1000);
}

/// The schema's default, as it is written in the configuration.
std::string fallback_of(const Setting& row) {
    if (row.kind == SettingKind::flag) return row.fallback != 0 ? "true" : "false";
    if (row.kind == SettingKind::seconds) return seconds_text(row.fallback);
    if (row.kind == SettingKind::choice)
        return fmt::format("\"{}\"", row.words[static_cast<std::size_t>(row.fallback)]);
    if (row.name == "mode") return fmt::format("{:04o}", row.fallback);
    return std::to_string(row.fallback);
}

std::string default_cell(const Documentation& entry, const Setting& row) {
    if (!entry.fallback.empty()) {
        std::string text(entry.fallback);
        const std::size_t place = text.find("{}");
        if (place != std::string::npos) text.replace(place, 2, fallback_of(row));
        return text;
    }
    return row.kind == SettingKind::choice ? '`' + fallback_of(row) + '`' : fallback_of(row);
}

std::string range_cell(const Setting& row) {
    if (row.kind == SettingKind::integer) return fmt::format("{} to {}", row.least, row.most);
    if (row.kind == SettingKind::seconds)
        return fmt::format("{} to {}", seconds_text(row.least), seconds_text(row.most));
    return {};
}

const char* effect_cell(const Setting& row) {
    return row.effect == Effect::reload ? "reload" : "restart";
}

std::string names_cell(const std::vector<const Setting*>& rows) {
    std::string out;
    for (const Setting* row : rows)
        out += fmt::format("{}`{}`", out.empty() ? "" : ", ", row->name);
    return out;
}

/// The text as a comment, in lines of up to `sample_width` columns.
std::string as_comment(std::string_view text) {
    std::string out = "#";
    std::size_t width = 1;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string_view word = text.substr(at, end - at);
        at = end + 1;
        if (width + 1 + word.size() > sample_width) {
            out += "\n#";
            width = 1;
        }
        out += ' ';
        out += word;
        width += 1 + word.size();
    }
    return out + '\n';
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

const char* word_of(SettingKind kind) {
    constexpr const char* words[] = {"flag",  "integer",   "seconds", "choice", "path",  "text",
                                     "texts", "listeners", "command", "table",  "tables"};
    return words[static_cast<std::size_t>(kind)];
}

}  // namespace

std::vector<const Setting*> settings_in(Section section, std::string_view names) {
    std::vector<const Setting*> out;
    for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find(", ", at), names.size());
        out.push_back(&setting(section, names.substr(at, end - at)));
        at = end + 2;
    }
    return out;
}

std::string markdown_table(Section section) {
    std::vector<std::pair<const Documentation*, std::vector<const Setting*>>> rows;
    for (const Documentation& entry : documentation()) {
        if (entry.section == section) rows.emplace_back(&entry, settings_in(section, entry.names));
    }
    const auto any = [&](const auto& is_so) {
        return std::any_of(rows.begin(), rows.end(),
                           [&](const auto& row) { return is_so(*row.second.front()); });
    };
    const bool has_range = any([](const Setting& row) { return !range_cell(row).empty(); });
    const bool has_restart = any([](const Setting& row) { return row.effect == Effect::restart; });
    const auto line_of = [&](std::string_view name, std::string_view fallback,
                             std::string_view range, std::string_view change,
                             std::string_view meaning) {
        std::string line = fmt::format("| {} | {} | ", name, fallback);
        if (has_range) line += fmt::format("{} | ", range);
        if (has_restart) line += fmt::format("{} | ", change);
        return line + fmt::format("{} |\n", meaning);
    };
    std::string out = line_of("setting", "default", "range", "change", "meaning") +
                      line_of("---", "---", "---", "---", "---");
    for (const auto& [entry, settings] : rows) {
        const Setting& first = *settings.front();
        out += line_of(names_cell(settings), default_cell(*entry, first), range_cell(first),
                       effect_cell(first), entry->meaning);
    }
    return out;
}

std::string with_tables(std::string_view document) {
    constexpr std::string_view begin = "<!-- settings: ", close = " -->\n", end = "<!-- end -->\n";
    std::set<Section> missing;
    for (const auto& [name, section] : marks) missing.insert(section);
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t mark = document.find(begin, at);
        if (mark == std::string_view::npos) {
            out += document.substr(at);
            break;
        }
        const std::size_t name_at = mark + begin.size();
        const std::size_t name_end = document.find(close, name_at);
        const std::size_t after = document.find(end, name_at);
        if (name_end == std::string_view::npos || after == std::string_view::npos)
            throw std::runtime_error("a mark has no end");
        const std::string_view name = document.substr(name_at, name_end - name_at);
        const auto* found = std::find_if(std::begin(marks), std::end(marks),
                                         [&](const auto& one) { return one.first == name; });
        if (found == std::end(marks))
            throw std::runtime_error(fmt::format("there is no section \"{}\"", name));
        out += document.substr(at, name_end + close.size() - at);
        out += '\n' + markdown_table(found->second) + '\n';
        missing.erase(found->second);
        at = after;
    }
    for (const auto& [name, section] : marks) {
        if (missing.contains(section))
            throw std::runtime_error(fmt::format("the section \"{}\" has no table", name));
    }
    return out;
}

std::string sample_file() {
    std::string out = as_comment(
        "Configuration of sftdyn: man sftdyn.toml. `sftdyn check` reports errors in it, `sftdyn "
        "doctor` checks every step up to the DNS. Once it has a client: systemctl enable --now "
        "sftdyn");
    Section section = Section::top;
    for (const SampleLine& line : sample_lines()) {
        const bool is_client = line.section == Section::client;
        if (line.section != section)
            out += fmt::format("\n{}\n", is_client ? "[clients]" : label_of(line.section));
        // At the top, an empty line precedes each comment; in a table, none does.
        if (line.section == Section::top && !line.comment.empty()) out += '\n';
        section = line.section;
        if (!line.comment.empty()) out += as_comment(line.comment);
        const std::string value =
            line.value.empty() ? fallback_of(setting(section, line.name)) : std::string(line.value);
        if (!is_client) static_cast<void>(setting(section, line.name));
        out += fmt::format("{}{} = {}\n", line.is_set ? "" : "#", line.name, value);
    }
    return out;
}

std::string schema_as_json() {
    std::vector<std::string> rows;
    for (const Setting& row : all_settings()) {
        rows.push_back(fmt::format(
            "{{\"section\": {}, \"name\": {}, \"kind\": {}, \"effect\": {}, \"least\": {}, "
            "\"most\": {}, \"default\": {}}}",
            json_string(label_of(row.section)), json_string(row.name),
            json_string(word_of(row.kind)), json_string(effect_cell(row)), row.least, row.most,
            row.fallback));
    }
    return fmt::format("[\n{}\n]\n", fmt::join(rows, ",\n"));
}

}  // namespace sftdyn::config
