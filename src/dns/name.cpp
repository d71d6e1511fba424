// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/name.hpp"
#include "dns/knot.hpp"
#include "dns/name_fault.hpp"

#include <algorithm>

namespace sftdyn::dns {
namespace {

base::Error bad_name(std::string_view text, std::string why) {
    std::string shown(text.substr(0, 80));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return base::Error{"\"" + shown + "\" is not a valid domain name: " + std::move(why), "",
                       "write it as host.example.org"};
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/// Explains why the text, which is known to be invalid, is not a name.
std::string diagnostic(std::string_view text) {
    if (text.empty()) return "it is empty";
    std::size_t label = 0;
    for (const char c : text) {
        if (c != '.') {
            if (++label > KNOT_DNAME_MAXLABELLEN) return "a label is longer than 63 characters";
            continue;
        }
        if (label == 0 && text.size() > 1)
            return "a label is empty (two dots, or one at the start)";
        label = 0;
    }
    return text.size() > KNOT_DNAME_MAXLEN - 2 ? "it is longer than 253 characters"
                                               : "it is malformed";
}

/// Whether all characters are valid in a host name.
bool is_plain_host(std::string_view text) {
    if (text.starts_with("*.")) text.remove_prefix(2);
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c == '.' || is_host_character(c); });
}

/// Parses the text into `wire`; false: it is not a name.
bool read_name(std::string_view text, knot_dname_storage_t& wire) {
    const std::string terminated(text);
    return !text.empty() && text.find('\0') == std::string_view::npos &&
           knot_dname_from_str(wire, terminated.c_str(), sizeof wire) != nullptr;
}

}  // namespace

std::string fault_of_name(std::string_view text) {
    knot_dname_storage_t wire;
    return read_name(text, wire) ? std::string() : diagnostic(text);
}

std::string fault_of_host(std::string_view text) {
    if (!is_plain_host(text)) return "it may hold letters, digits, '-', '_' and dots only";
    if (text == ".") return "it is the root";
    return fault_of_name(text);
}

base::Result<Name> Name::parse(std::string_view text) {
    knot_dname_storage_t wire;
    if (!read_name(text, wire)) return bad_name(text, diagnostic(text));
    knot_dname_to_lower(wire);
    return from_wire(wire);
}

base::Result<Name> Name::parse_host(std::string_view text) {
    if (!is_plain_host(text) || text == ".") return bad_name(text, fault_of_host(text));
    return parse(text);
}

Name Name::from_wire(const std::uint8_t* wire) {
    Name name;
    name.wire_.assign(reinterpret_cast<const char*>(wire), knot_dname_size(wire));
    knot_dname_to_lower(reinterpret_cast<std::uint8_t*>(name.wire_.data()));
    return name;
}

std::string Name::text() const {
    if (is_root()) return ".";
    knot_dname_txt_storage_t text;
    if (knot_dname_to_str(text, wire(), sizeof text) == nullptr) return "?";
    std::string out(text);
    if (out.ends_with('.')) out.pop_back();
    return out;
}

bool Name::is_within(const Name& zone) const {
    return knot_dname_in_bailiwick(wire(), zone.wire()) >= 0;
}

Name Name::parent() const { return is_root() ? *this : from_wire(wire() + 1 + wire()[0]); }

}  // namespace sftdyn::dns
